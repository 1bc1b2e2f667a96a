import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../domain/errors.ts';
import { parseAllowFile } from '../playbook/allow.ts';
import type { AllowFile } from '../playbook/allow.ts';
import { createCatalog } from '../playbook/catalog.ts';
import { MAX_DOCUMENT_BYTES } from '../playbook/limits.ts';
import type { Playbook, PlaybookProblem } from '../playbook/playbook.ts';

export const ALLOW_FILE = 'allow.yaml';

export interface OwnPlaybooks {
  playbooks: ReadonlyMap<string, Playbook>;
  /** Undefined where there is none, or it is broken: then nothing is permitted. */
  allowFile?: AllowFile;
  problems: PlaybookProblem[];
}

/** Reads the folder as it is now: the owner's word counts from one command to the next. */
export async function readOwnPlaybooks(folder: string): Promise<OwnPlaybooks> {
  const names = await listFiles(folder);
  const texts = await Promise.all(names.map(async (file) => ({ file, text: await readText(join(folder, file)) })));
  const readable = texts.filter((entry): entry is { file: string; text: string } => entry.text !== undefined);
  const unreadable = texts
    .filter((entry) => entry.text === undefined)
    .map(({ file }) => ({
      file,
      line: 1,
      column: 1,
      message: 'It cannot be read, or is too large.',
      code: 'unreadable',
    }));
  const catalog = createCatalog(readable.filter((entry) => entry.file !== ALLOW_FILE));
  const allowText = readable.find((entry) => entry.file === ALLOW_FILE);
  const allow: ReturnType<typeof parseAllowFile> =
    allowText === undefined ? { problems: [] } : parseAllowFile(allowText);
  return {
    playbooks: catalog.playbooks,
    ...(allow.allowFile === undefined ? {} : { allowFile: allow.allowFile }),
    problems: [...unreadable, ...catalog.problems, ...allow.problems],
  };
}

/** Throws ConfigurationError where the folder is not there. */
async function listFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.')).sort();
  } catch (cause) {
    const message = `MEDIC_AGENT_PLAYBOOKS: the folder ${folder} cannot be read.`;
    throw new ConfigurationError(message, { code: 'playbooks_unreadable', cause });
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() && stats.size <= MAX_DOCUMENT_BYTES ? await readFile(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
