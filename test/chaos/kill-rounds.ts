import { setTimeout as delay } from 'node:timers/promises';
import { findProcesses } from '../../agent/process-tree.ts';
import { CallRefused } from '../support/api-caller.ts';
import type { ProcessName } from '../support/process-stack.ts';
import type { Dice } from '../support/seeded.ts';
import type { CrashStage } from './crash-stage.ts';
import { waitForEnds } from './run-record.ts';

/** What is asked in one round, and who is killed when; all of it follows from the seed. */
export interface RoundPlan {
  asks: readonly { server: string; playbook: string; then: Answer; afterMs: number }[];
  kills: readonly { name: ProcessName; afterMs: number; downMs: number; bootId?: string }[];
}

type Answer = 'nothing' | 'approve' | 'reject' | 'cancel';

const SERVERS = ['web-1', 'web-2', 'web-3', 'web-4', 'web-6'];
const VICTIMS: readonly ProcessName[] = ['api', 'api 2', 'worker', 'bot', ...SERVERS.map(agentOf)];
const ACTIONS = 10;
const FLIGHT_MS = 2_500; // by then the last of ten has been handed out, where nobody is killed
const DOWN_MS = 1_500;

/** Ten actions in flight, and one process that is killed among them. */
export function planRound(dice: Dice): RoundPlan {
  const asks = Array.from({ length: ACTIONS }, (_, index) => {
    const server = dice.pick(SERVERS);
    const then = dice.pick<Answer>(index % 2 === 0 ? ['nothing'] : ['approve', 'approve', 'reject', 'cancel']);
    const playbook = then === 'nothing' || then === 'cancel' ? 'slow-repair' : 'weighed-repair';
    return { server, playbook, then, afterMs: dice.roll(500) };
  });
  const kill = { name: dice.pick(VICTIMS), afterMs: dice.roll(FLIGHT_MS), downMs: dice.roll(DOWN_MS) };
  return { asks, kills: [kill] };
}

/** One action on each of these servers, and each agent killed in its middle; every other one with its machine. */
export function planAgentKills(dice: Dice, servers: readonly string[] = SERVERS.slice(1)): RoundPlan {
  return {
    asks: servers.map((server) => ({ server, playbook: 'long-repair', then: 'nothing', afterMs: 0 })),
    kills: servers.map((server, index) => ({
      name: agentOf(server),
      afterMs: 200 + dice.roll(800), // from before the hand-out until after the end
      downMs: dice.roll(500),
      ...(index % 2 === 0 ? {} : { bootId: `boot-${String(dice.roll(1e9))}` }),
    })),
  };
}

/** Returns when everything that was asked has ended; what became of it is judged from the record of the run. */
export async function runRound(stage: CrashStage, plan: RoundPlan): Promise<void> {
  await Promise.all([
    ...plan.asks.map(async ({ server, playbook, then, afterMs }) => {
      await delay(afterMs);
      const id = await stage.request({ server, playbook });
      if (then !== 'nothing') await decide(stage, { id, server }, then);
    }),
    ...plan.kills.map(async ({ name, afterMs, downMs, bootId }) => {
      await delay(afterMs);
      await stage.stack.kill(name);
      if (bootId !== undefined) await killRepairs(stage, name === 'agent' ? 'web-1' : name.replace('agent ', ''));
      await delay(downMs);
      await stage.endLeases(name);
      await stage.stack.restart(name, bootId === undefined ? {} : { bootId });
    }),
  ]);
  await waitForEnds(stage.stack);
}

/** What came too late is no finding: somebody is told so. */
async function decide(
  stage: CrashStage,
  asked: { id: string; server: string },
  kind: Exclude<Answer, 'nothing'>,
): Promise<void> {
  const by = kind === 'cancel' ? 'ana' : 'bob';
  await stage.decide({ ...asked, by, kind }).catch((error: unknown) => {
    if (!(error instanceof CallRefused)) throw error;
  });
}

/** A machine that goes down takes every process of a repair with it. */
async function killRepairs({ stack }: CrashStage, server: string): Promise<void> {
  const { rows } = await stack.database.pool.query<{ id: string }>(
    `select commands.id from commands join servers on servers.id = commands.server_id
     where servers.name = $1 and commands.state <> 'ended'`,
    [server],
  );
  for (const { id: commandId } of rows) {
    for (const pid of await findProcesses({ commandId })) process.kill(pid, 'SIGKILL');
  }
}

function agentOf(server: string): ProcessName {
  return server === 'web-1' ? 'agent' : `agent ${server}`;
}
