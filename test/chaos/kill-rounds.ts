import { setTimeout as delay } from 'node:timers/promises';
import { findProcesses } from '../../agent/process-tree.ts';
import { poll } from '../support/poll.ts';
import { CallRefused } from '../support/process-stack.ts';
import type { ProcessName } from '../support/process-stack.ts';
import type { CrashStage } from './crash-stage.ts';
import { countOpen } from './run-record.ts';

/** What is asked in one round, and who is killed when; all of it follows from the seed. */
export interface RoundPlan {
  asks: readonly { server: string; then: Answer; afterMs: number }[];
  kills: readonly { name: ProcessName; afterMs: number; downMs: number; bootId?: string }[];
}

type Answer = 'nothing' | 'approve' | 'reject' | 'cancel';
type Random = () => number;

const SERVERS = ['web-1', 'web-2', 'web-3', 'web-4', 'web-6'];
const VICTIMS: readonly ProcessName[] = ['api', 'api 2', 'worker', 'bot', ...SERVERS.map(agentOf)];
const ACTIONS = 10;
const FLIGHT_MS = 2_500; // by then the last of ten has been handed out, where nobody is killed
const DOWN_MS = 1_500;

/** Mulberry32: small, and the same everywhere. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ten actions in flight, and one process that is killed among them. */
export function planRound(random: Random): RoundPlan {
  const asks = Array.from({ length: ACTIONS }, (_, index) => ({
    server: pick(random, SERVERS),
    then: pick<Answer>(random, index % 2 === 0 ? ['nothing'] : ['approve', 'approve', 'reject', 'cancel']),
    afterMs: random() * 500,
  }));
  const kill = { name: pick(random, VICTIMS), afterMs: random() * FLIGHT_MS, downMs: random() * DOWN_MS };
  return { asks, kills: [kill] };
}

/** One action on each of four servers, and each agent killed in its middle; every other one with its machine. */
export function planAgentKills(random: Random): RoundPlan {
  const servers = SERVERS.slice(1);
  return {
    asks: servers.map((server) => ({ server, then: 'nothing', afterMs: 0 })),
    kills: servers.map((server, index) => ({
      name: agentOf(server),
      afterMs: 200 + random() * 800, // from before the hand-out until after the end
      downMs: random() * 500,
      ...(index % 2 === 0 ? {} : { bootId: `boot-${String(Math.floor(random() * 1e9))}` }),
    })),
  };
}

/** Returns when everything that was asked has ended; what became of it is judged from the record of the run. */
export async function runRound(stage: CrashStage, plan: RoundPlan): Promise<void> {
  await Promise.all([
    ...plan.asks.map(async ({ server, then, afterMs }) => {
      await delay(afterMs);
      const playbook = then === 'nothing' || then === 'cancel' ? 'slow-repair' : 'weighed-repair';
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
  await poll('every action to end', async () => (await countOpen(stage.stack)) === 0, { timeoutMs: 120_000 });
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

function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[Math.floor(random() * from.length)];
  if (found === undefined) throw new Error('there is nothing to pick from');
  return found;
}

function agentOf(server: string): ProcessName {
  return server === 'web-1' ? 'agent' : `agent ${server}`;
}
