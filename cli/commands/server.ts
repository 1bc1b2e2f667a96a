import { Command } from 'commander';
import type { CommandInput } from '../command-groups.ts';
import { EXIT } from '../exit.ts';
import { runControlPlane } from '../run-control-plane.ts';

export function createCommand({ env, setExitCode }: CommandInput): Command {
  return new Command('server').description('API, bot and worker in one process; until SIGTERM').action(async () => {
    const isDone = await runControlPlane(['api', 'bot', 'worker'], env);
    if (!isDone) setExitCode(EXIT.failed);
  });
}
