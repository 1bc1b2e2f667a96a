import { Command } from 'commander';
import type { RawEnvironment } from '../../services/config/environment.ts';
import { createToken, listTokens, revokeToken } from '../../services/tokens/manage-tokens.ts';
import type { CommandInput } from '../command-groups.ts';
import { OPERATOR, withOfflineContext } from '../offline-context.ts';

interface Options {
  json?: boolean;
}

interface CreateOptions extends Options {
  principal: string;
  role: string;
  expires?: string;
}

export function createCommand({ env }: CommandInput): Command {
  const command = new Command('token').description('Tokens for the API; needs DATABASE_URL and MEDIC_CONFIG');
  command
    .command('create')
    .description('makes a token for one role of a principal; it is shown once')
    .requiredOption('--principal <name>', 'as medic.yaml names them')
    .requiredOption('--role <role>', 'viewer, operator, approver, auditor, admin or automation')
    .option('--expires <time>', 'ISO 8601, for example 2030-01-01T00:00:00Z')
    .option('--json', 'prints JSON')
    .action((options: CreateOptions) => create(env, options));
  command
    .command('list')
    .description('all tokens, without their secrets')
    .option('--json', 'prints JSON')
    .action((options: Options) => list(env, options));
  command
    .command('revoke <id>')
    .description('ends a token at once')
    .option('--json', 'prints JSON')
    .action((id: string, options: Options) => revoke(env, id, options));
  return command;
}

async function create(env: RawEnvironment, options: CreateOptions): Promise<void> {
  const { principal, role, expires } = options;
  const expiresAt = expires === undefined ? undefined : new Date(expires);
  const made = await withOfflineContext(env, (ctx) =>
    createToken(ctx, OPERATOR, { principal, role, ...(expiresAt === undefined ? {} : { expiresAt }) }),
  );
  if (options.json === true) print(made);
  else process.stdout.write(`${made.token}\n`);
}

async function list(env: RawEnvironment, { json }: Options): Promise<void> {
  const tokens = await withOfflineContext(env, (ctx) => listTokens(ctx, OPERATOR));
  if (json === true) {
    for (const token of tokens) print(token);
    return;
  }
  for (const { id, principal, role, revokedAt, expiresAt } of tokens) {
    const state = revokedAt === null ? `until ${expiresAt?.toISOString() ?? 'revoked'}` : 'revoked';
    process.stdout.write(`${id}  ${principal.padEnd(16)} ${role.padEnd(10)} ${state}\n`);
  }
}

async function revoke(env: RawEnvironment, id: string, { json }: Options): Promise<void> {
  const revoked = await withOfflineContext(env, (ctx) => revokeToken(ctx, OPERATOR, { id }));
  if (json === true) print(revoked);
  else process.stdout.write(`The token of ${revoked.principal} (${revoked.role}) is revoked.\n`);
}

/** JSON for scripts is `snake_case`, as in the API. */
function print(token: object): void {
  const entries = Object.entries(token).map(([key, value]) => [
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value as unknown,
  ]);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(entries))}\n`);
}
