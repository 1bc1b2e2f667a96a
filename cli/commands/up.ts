import { Command } from 'commander';
import { join } from 'node:path';
import type { CommandInput } from '../command-groups.ts';
import { EXIT } from '../exit.ts';
import { runUp } from '../run-up.ts';

const DATA_PATH = join(import.meta.dirname, '..', '..', '.medic');

export function createCommand({ env, setExitCode }: CommandInput): Command {
  return new Command('up')
    .description('All in one: migrates, and embeds PostgreSQL and Temporal where none is configured; until SIGTERM')
    .option('--data <folder>', 'where what is embedded keeps its data', DATA_PATH)
    .action(async ({ data }: { data: string }) => {
      if (!(await runUp(env, data))) setExitCode(EXIT.failed);
    });
}
