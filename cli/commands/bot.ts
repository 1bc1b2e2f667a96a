import { Command } from 'commander';
import type { CommandInput } from '../command-groups.ts';
import { EXIT } from '../exit.ts';
import { runControlPlane } from '../run-control-plane.ts';

export function createCommand({ env, setExitCode }: CommandInput): Command {
  return new Command('bot').description('The Slack bot; until SIGTERM').action(async () => {
    const isDone = await runControlPlane(['bot'], env);
    if (!isDone) setExitCode(EXIT.failed);
  });
}
