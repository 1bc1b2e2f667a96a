import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InvalidInputError } from '../domain/errors.ts';
import { createCatalog, findPlaybook } from '../playbook/catalog.ts';
import type { Catalog } from '../playbook/catalog.ts';
import { formatProblem } from '../playbook/format-problem.ts';
import { parsePlaybook } from '../playbook/parse.ts';
import type { Playbook } from '../playbook/playbook.ts';
import { readConfigFiles } from '../services/config/config-files.ts';
import { readEnvironment } from '../services/config/environment.ts';

const PLAYBOOK_FILE = /\.ya?ml$/;

/**
 * The playbooks of `directory`, else those a control plane would have: MEDIC_CONFIG's and the shipped ones. Those
 * with mistakes are left out and stand in `problems`.
 */
export async function readCatalog(env: NodeJS.ProcessEnv, directory: string | undefined): Promise<Catalog> {
  if (directory !== undefined) return createCatalog(await readDirectory(directory));
  const { playbooks, shippedPlaybooks } = await readConfigFiles(readEnvironment(env).configDirectory);
  const own = createCatalog(playbooks);
  const shipped = createCatalog(shippedPlaybooks);
  return {
    playbooks: new Map([...shipped.playbooks, ...own.playbooks]),
    problems: [...own.problems, ...shipped.problems],
  };
}

/** By name, or by path where it ends in .yaml or .yml. Throws `unknown_playbook`, `broken_playbook`, `unreadable_file`. */
export async function readOnePlaybook(
  env: NodeJS.ProcessEnv,
  input: { nameOrFile: string; directory: string | undefined },
): Promise<Playbook> {
  const { nameOrFile, directory } = input;
  if (!PLAYBOOK_FILE.test(nameOrFile)) {
    const catalog = await readCatalog(env, directory);
    const broken = catalog.problems.filter(({ file }) => nameOf(file) === nameOrFile.replaceAll('_', '-'));
    if (broken.length > 0) throw refuse(broken);
    return findPlaybook(catalog, nameOrFile);
  }
  const { playbook, problems } = await readPlaybookFile(nameOrFile);
  if (playbook === undefined) throw refuse(problems);
  return playbook;
}

/** Throws `unreadable_file`; mistakes in the text are data. */
export async function readPlaybookFile(file: string): Promise<ReturnType<typeof parsePlaybook>> {
  return parsePlaybook({ file, text: await readText(file), expectedName: nameOf(file) });
}

async function readDirectory(directory: string): Promise<{ file: string; text: string }[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw unreadable(directory, cause);
  });
  const files = names.filter((name) => PLAYBOOK_FILE.test(name) && name !== 'allow.yaml');
  return Promise.all(
    files.map(async (name) => ({ file: join(directory, name), text: await readText(join(directory, name)) })),
  );
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
}

function unreadable(path: string, cause: unknown): InvalidInputError {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new InvalidInputError(`${path} cannot be read (${reason}).`, { code: 'unreadable_file', cause });
}

function refuse(problems: Catalog['problems']): InvalidInputError {
  return new InvalidInputError(problems.map(formatProblem).join('\n'), { code: 'broken_playbook' });
}

function nameOf(file: string): string {
  return basename(file).replace(PLAYBOOK_FILE, '');
}
