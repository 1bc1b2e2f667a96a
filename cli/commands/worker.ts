import { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { runControlPlane } from '../run-control-plane.ts';

export function createCommand(setExitCode: (code: number) => void): Command {
  return new Command('worker').description('The workflows and their activities; until SIGTERM').action(async () => {
    const isDone = await runControlPlane(['worker'], process.env);
    if (!isDone) setExitCode(EXIT.failed);
  });
}
