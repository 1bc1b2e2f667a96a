import { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { runControlPlane } from '../run-control-plane.ts';

export function createCommand(setExitCode: (code: number) => void): Command {
  return new Command('api').description('The HTTP API; until SIGTERM').action(async () => {
    const isDone = await runControlPlane(['api'], process.env);
    if (!isDone) setExitCode(EXIT.failed);
  });
}
