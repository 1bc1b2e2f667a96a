import { Command } from 'commander';
import { migrateDown, migrateUp, migrationStatus } from '../../db/migrate.ts';
import type { RawEnvironment } from '../../services/config/environment.ts';
import type { CommandInput } from '../command-groups.ts';
import { explainDatabaseFailure } from '../explain-database-failure.ts';
import { requireDatabaseUrl } from '../run-control-plane.ts';

interface Options {
  to?: string;
  json?: boolean;
}

export function createCommand({ env }: CommandInput): Command {
  const command = new Command('migrate').description('Moves the database schema; DATABASE_URL says where');
  command
    .command('up')
    .description('applies what is pending')
    .option('--to <name>', 'up to this migration')
    .option('--json', 'prints JSON')
    .action((options: Options) => move('up', env, options));
  command
    .command('down')
    .description('takes the last migration back')
    .option('--to <name>', 'down to this migration; 0 takes back all')
    .option('--json', 'prints JSON')
    .action((options: Options) => move('down', env, options));
  command
    .command('status')
    .description('what is applied, pending, unknown')
    .option('--json', 'prints JSON')
    .action((options: Options) => show(env, options));
  return command;
}

async function move(direction: 'up' | 'down', env: RawEnvironment, { to, json }: Options): Promise<void> {
  const url = requireDatabaseUrl(env);
  const migrate = direction === 'up' ? migrateUp : migrateDown;
  try {
    await migrate(url, to === undefined ? {} : { to });
  } catch (error) {
    throw explainDatabaseFailure(error, url);
  }
  await show(env, { json: json ?? false });
}

async function show(env: RawEnvironment, { json }: Options): Promise<void> {
  const url = requireDatabaseUrl(env);
  const status = await migrationStatus(url).catch((error: unknown) => {
    throw explainDatabaseFailure(error, url);
  });
  if (json === true) {
    process.stdout.write(`${JSON.stringify(status)}\n`);
    return;
  }
  for (const [kind, names] of Object.entries(status)) {
    for (const name of names as string[]) process.stdout.write(`${kind.padEnd(8)} ${name}\n`);
  }
}
