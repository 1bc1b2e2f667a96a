import { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { runControlPlane } from '../run-control-plane.ts';

export function createCommand(setExitCode: (code: number) => void): Command {
  return new Command('bot').description('The Slack bot; until SIGTERM').action(async () => {
    const isDone = await runControlPlane(['bot'], process.env);
    if (!isDone) setExitCode(EXIT.failed);
  });
}
