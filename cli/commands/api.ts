import { Command } from 'commander';
import type { CommandInput } from '../command-groups.ts';
import { EXIT } from '../exit.ts';
import { runControlPlane } from '../run-control-plane.ts';

export function createCommand({ env, setExitCode }: CommandInput): Command {
  return new Command('api').description('The HTTP API; until SIGTERM').action(async () => {
    const isDone = await runControlPlane(['api'], env);
    if (!isDone) setExitCode(EXIT.failed);
  });
}
