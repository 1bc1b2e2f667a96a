import { setPriority } from 'node:os';
import { Command } from 'commander';
import type { CommandInput } from '../command-groups.ts';
import { EXIT } from '../exit.ts';
import { runControlPlane } from '../run-control-plane.ts';

/** Nice: on a busy machine a person who clicks, and an agent that calls in, go before work that can wait. */
const WORKER_NICENESS = 10;

export function createCommand({ env, setExitCode }: CommandInput): Command {
  return new Command('worker').description('The workflows and their activities; until SIGTERM').action(async () => {
    setPriority(WORKER_NICENESS);
    const isDone = await runControlPlane(['worker'], env);
    if (!isDone) setExitCode(EXIT.failed);
  });
}
