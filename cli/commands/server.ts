import { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { runControlPlane } from '../run-control-plane.ts';

export function createCommand(setExitCode: (code: number) => void): Command {
  return new Command('server').description('API, bot and worker in one process; until SIGTERM').action(async () => {
    const isDone = await runControlPlane(['api', 'bot', 'worker'], process.env);
    if (!isDone) setExitCode(EXIT.failed);
  });
}
