import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { durably } from '../../domain/durable-step.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import { addToAllowFile } from '../../playbook/allow-edit.ts';
import { findPlaybook } from '../../playbook/catalog.ts';
import { readPlaybookDir } from '../config.ts';
import { readErrorCode } from '../failure.ts';
import { ALLOW_FILE, readOwnPlaybooks } from '../playbook-directory.ts';
import type { AgentCommand } from '../cli.ts';

export const allowCommand: AgentCommand = {
  summary: 'allow PLAYBOOK [key=value …]          permit these values (* globs) in allow.yaml',
  options: {},
  async run({ env, positionals, print }) {
    const folder = readPlaybookDir(env);
    const [name, ...pairs] = positionals;
    if (name === undefined)
      throw new InvalidInputError('Say which playbook: `allow PLAYBOOK key=value …`.', { code: 'missing_playbook' });
    const playbook = findPlaybook(await readOwnPlaybooks(folder), name);
    const path = join(folder, ALLOW_FILE);
    const before = await readBefore(path);
    const params = Object.fromEntries(pairs.map(readPair));
    refuseUnknown(Object.keys(params), Object.keys(playbook.params), playbook.name);
    const after = addToAllowFile(before, { playbook: playbook.name, params });
    const mode = (await stat(path).catch(() => ({ mode: 0o644 }))).mode & 0o777;
    await writeFile(`${path}.draft`, after, { mode });
    await chmod(`${path}.draft`, mode);
    await durably('agent.allow_file', () => rename(`${path}.draft`, path));
    const permitted = (await readOwnPlaybooks(folder)).allowFile?.allow[playbook.name];
    print(
      { playbook: playbook.name, permits: permitted },
      `${playbook.name} now permits ${JSON.stringify(permitted)}.`,
    );
    return 0;
  },
};

/** Undefined only where there is no file yet: one that cannot be read must not be written over. */
async function readBefore(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (readErrorCode(cause) === 'ENOENT') return undefined;
    throw new InvalidInputError(`${path} cannot be read.`, { code: 'allow_file_unreadable', cause });
  }
}

function refuseUnknown(given: readonly string[], known: readonly string[], playbook: string): void {
  const stray = given.find((name) => !known.includes(name));
  if (stray === undefined) return;
  const hint = suggestNearest(stray, known) || ` Known: ${known.join(', ') || 'none'}.`;
  throw new InvalidInputError(`"${stray}" is no parameter of ${playbook}.${hint}`, { code: 'unknown_param' });
}

function readPair(pair: string): [string, string[]] {
  const at = pair.indexOf('=');
  if (at < 1 || at === pair.length - 1) {
    throw new InvalidInputError(`"${pair}" must be key=value, like service=nginx.`, { code: 'malformed_pair' });
  }
  return [pair.slice(0, at), pair.slice(at + 1).split(',')];
}
