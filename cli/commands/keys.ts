import { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { InvalidInputError } from '../../domain/errors.ts';
import { importPublicKey } from '../../protocol/keys.ts';
import type { CommandKey } from '../../protocol/messages.ts';
import type { RawEnvironment } from '../../services/config/environment.ts';
import type { CommandKeyView } from '../../services/keys/change-command-keys.ts';
import { addCommandKey, listCommandKeys, retireCommandKey } from '../../services/keys/change-command-keys.ts';
import type { CommandInput } from '../command-groups.ts';
import { OPERATOR, withSigningContext } from '../offline-context.ts';
import { formatTable, print } from '../print.ts';

interface Options {
  json?: boolean;
}

export function createCommand({ env }: CommandInput): Command {
  const command = new Command('keys').description(
    'The keys whose commands agents accept; needs DATABASE_URL and MEDIC_SIGNING_KEY',
  );
  command
    .command('list')
    .description('which key signs, which are accepted, which are retired')
    .option('--json', 'prints JSON')
    .action((options: Options) => list(env, options));
  command
    .command('add <file>')
    .description('agents accept it too, from their next answer on; FILE is its PEM, public or private')
    .option('--json', 'prints JSON')
    .action((file: string, options: Options) => add(env, file, options));
  command
    .command('retire <kid>')
    .description('agents refuse what it signs; never the one that signs now')
    .option('--json', 'prints JSON')
    .allowUnknownOption() // one key in 64 has an id that begins with a dash
    .helpOption('--help', 'display help for command')
    .action((kid: string, options: Options) => retire(env, kid, options));
  return command;
}

async function list(env: RawEnvironment, { json }: Options): Promise<void> {
  const keys = await withSigningContext(env, (ctx) => listCommandKeys(ctx, OPERATOR));
  const rows = keys.map(({ kid, state, addedAt, retiredAt }) => [kid, state, showTime(addedAt), showTime(retiredAt)]);
  print(json, { keys: keys.map(toJson) }, formatTable(['KEY', 'STATE', 'ADDED', 'RETIRED'], rows, 'There is no key.'));
}

async function add(env: RawEnvironment, file: string, { json }: Options): Promise<void> {
  const key = await readKey(file);
  const keys = await withSigningContext(env, (ctx) => addCommandKey(ctx, OPERATOR, key));
  const next = 'Now set MEDIC_SIGNING_KEY to it and restart the parts; then retire the old one.';
  print(json, { kid: key.kid, keys: keys.map(toJson) }, `Agents accept ${key.kid}. ${next}`);
}

async function retire(env: RawEnvironment, kid: string, { json }: Options): Promise<void> {
  const keys = await withSigningContext(env, (ctx) => retireCommandKey(ctx, OPERATOR, kid));
  print(json, { kid, keys: keys.map(toJson) }, `Agents refuse what ${kid} signs, as soon as they hear of it.`);
}

async function readKey(file: string): Promise<CommandKey> {
  const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InvalidInputError(`The key file ${file} cannot be read.`, { code: 'unreadable_file', cause });
  });
  return importPublicKey({ pem, source: file });
}

const showTime = (time: Date | null): string => time?.toISOString() ?? '';

/** JSON for scripts is `snake_case`, as in the API. */
function toJson({ kid, state, addedAt, retiredAt }: CommandKeyView): object {
  return { kid, state, added_at: addedAt, retired_at: retiredAt };
}
