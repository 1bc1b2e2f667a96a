import { decodeJwt } from 'jose';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandPayload } from '../protocol/messages.ts';
import { startPostgres } from '../sandbox/postgres.ts';
import { startTemporal } from '../sandbox/temporal.ts';
import { requestAction } from '../services/actions/request-action.ts';
import { declareHalt } from '../services/halts/declare-halt.ts';
import type { TestControlPlane } from '../test/support/context.ts';
import { createTestControlPlane } from '../test/support/context.ts';
import { createResult, createScriptedAgent } from '../test/support/scripted-agent.ts';
import { insertTestServer } from '../test/support/servers.ts';
import { WORKER_NAMESPACES } from '../test/support/stack.ts';
import { percentile, report } from './slack-stage.ts';

/*
 * A halt while 1,000 simulated agents hold their heartbeats and work is being handed out: how soon each has heard of it,
 * and when the last start was. The agents call the service that the route calls, so HTTP is not in the figure.
 */
const AGENTS = 1_000;
const ASKED_FOR = 100; // requested within the second before the halt
const HELD_S = 25;
const HEARD_LIMIT_S = 1;

interface Seen {
  heardMs: number[];
  startedMs: number[];
  startedAfterHearing: number;
}

const dataDir = mkdtempSync(join(tmpdir(), 'medic-bench-postgres-'));
const postgres = await startPostgres({ dataDir, isEphemeral: true });
const temporal = await startTemporal({ moreNamespaces: WORKER_NAMESPACES });
process.env['MEDIC_TEST_POSTGRES_URL'] = postgres.adminUrl;
process.env['MEDIC_TEST_TEMPORAL_ADDRESS'] = temporal.address;
try {
  const plane = await createTestControlPlane();
  await plane.startWorker();
  try {
    await measure(plane);
  } finally {
    await plane.stop();
  }
} finally {
  await temporal.stop();
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

async function measure(plane: TestControlPlane): Promise<void> {
  const { ctx, asker } = plane;
  const servers = [];
  for (let n = 0; n < AGENTS; n++) servers.push(await insertTestServer(ctx));
  const seen: Seen = { heardMs: [], startedMs: [], startedAfterHearing: 0 };
  const agents = [];
  for (const { id } of servers) {
    agents.push(callIn(plane, id, seen));
    await sleep(5); // as agents come in life: not all of them in one instant
  }
  await untilHeld(plane);
  for (const { name } of servers.slice(0, ASKED_FOR)) {
    void requestAction(ctx, asker('ana'), {
      server: name,
      playbook: 'restart-service',
      params: { service: 'nginx' },
    }).catch(
      () => undefined, // refused by the halt
    );
    await sleep(1_000 / ASKED_FOR);
  }
  await declareHalt(ctx, asker('bob'), { reason: 'a bench' });
  const declaredMs = Date.now();
  await Promise.all(agents);
  const afterS = (ms: number): number => Math.max(0, ms - declaredMs) / 1000;
  report('heard of the halt, p99 of 1,000 agents, s', percentile(seen.heardMs.map(afterS), 0.99), HEARD_LIMIT_S);
  report('heard of the halt, the last, s', Math.max(...seen.heardMs.map(afterS)), HEARD_LIMIT_S * 2);
  report('last start after the halt, s', Math.max(0, ...seen.startedMs.map(afterS)), HEARD_LIMIT_S);
  report('starts by agents that had heard of it', seen.startedAfterHearing, 0);
  console.log(`${seen.startedMs.length} were started, ${AGENTS} agents`);
}

/** Until it has heard of the halt; then once more, as an agent would, to see that nothing comes. */
async function callIn({ ctx }: TestControlPlane, serverId: string, seen: Seen): Promise<void> {
  const agent = createScriptedAgent(ctx, serverId);
  for (;;) {
    const { halted, commands } = await agent.beatOnce({ waitS: HELD_S, halted: false });
    if (halted) break;
    for (const jws of commands) {
      seen.startedMs.push(Date.now());
      await agent.beatOnce({ results: [createResult(decodeJwt<CommandPayload>(jws) as CommandPayload)] });
    }
  }
  seen.heardMs.push(Date.now());
  seen.startedAfterHearing += (await agent.beatOnce({ halted: true })).commands.length;
}

async function untilHeld({ ctx }: TestControlPlane): Promise<void> {
  for (;;) {
    const row = await ctx.database.kysely
      .selectFrom('servers')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('last_seen_at', 'is not', null)
      .executeTakeFirstOrThrow();
    if (row.count === AGENTS) return;
    await sleep(200);
  }
}
