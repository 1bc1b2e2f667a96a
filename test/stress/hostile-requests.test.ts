import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { mintAgentToken } from '../../protocol/agent-jwt.ts';
import { importSigningKey } from '../../protocol/keys.ts';
import type { Target } from '../support/hostile-requests.ts';
import { createHostileRequest } from '../support/hostile-requests.ts';
import { beginRun } from '../support/kept-results.ts';
import { createDice } from '../support/seeded.ts';
import { createHostileClient, RAW_REQUESTS } from '../support/send-hostile.ts';
import { countOf, keepCounts, repeat, STRESS_TIMEOUT_MS } from '../support/stress.ts';

const REQUESTS = countOf({ usual: 5_000, stress: 500_000 });
const ROUNDS = 10; // memory is looked at after each
const SEED = Number(process.env['SEED'] ?? countOf({ usual: 1, stress: Date.now() % 2 ** 31 }));
const FILE = join(import.meta.dirname, '..', 'fixtures', 'hostile', 'control-plane.ts');

let child: ChildProcess;
let target: Target;
beforeAll(async () => {
  child = fork(FILE, [], { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [message] = (await once(child, 'message')) as [{ target: Target }];
  target = message.target;
}, 90_000);
afterAll(async () => {
  if (child.exitCode !== null) return;
  child.disconnect();
  await once(child, 'exit');
}, 30_000);

/** After a collection. */
async function measure(): Promise<{ rss: number; heapUsed: number }> {
  child.send('measure');
  const [message] = (await once(child, 'message')) as [{ rss: number; heapUsed: number }];
  return message;
}

test(
  `${REQUESTS} hostile requests (seed ${SEED}) end neither the process nor in a 5xx, and leave no memory taken`,
  async () => {
    const run = beginRun(SEED);
    const dice = createDice(SEED);
    const client = createHostileClient(target.url);
    const { privateKey, publicKey } = await importSigningKey({ pem: target.agent.pem, source: 'the test' });
    const { serverId } = target.agent;
    const statuses = new Map<number, number>();
    const sizes: { rss: number; heapUsed: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const agentToken = await mintAgentToken({ serverId, privateKey, kid: publicKey.kid, nowMs: Date.now() });
      await repeat({ count: REQUESTS / ROUNDS, atOnce: 16 }, async () => {
        const raw = dice.oneIn(20) ? dice.pick(RAW_REQUESTS) : null;
        const wanted = raw === null ? createHostileRequest(dice, target, agentToken) : null;
        const { status, fault } = await (wanted === null ? client.sendRaw(raw as Buffer) : client.send(wanted));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (fault !== null) throw new Error(`${fault} for ${describe(wanted, raw)}`);
      });
      sizes.push(await measure());
    }
    client.close();
    expect(child.exitCode).toBeNull();
    expect([...statuses.keys()].toSorted()).toEqual(expect.arrayContaining([200, 201, 400, 401, 403, 404, 413, 415]));
    expectFlat(sizes.map(({ heapUsed }) => heapUsed));
    const answered = Object.fromEntries([...statuses].map(([status, count]) => [`answered_${status}`, count]));
    keepCounts('hostile-requests', { run, counts: { requests: REQUESTS, ...answered } });
    process.stderr.write(`heap and resident set after each tenth: ${JSON.stringify(sizes)}\n`);
  },
  STRESS_TIMEOUT_MS,
);

/** What is held after the first rounds is caches that are full; from there on it must not grow by more than a fifth. */
function expectFlat(sizes: readonly number[]): void {
  const middle = sizes[ROUNDS / 2 - 1] ?? 0;
  expect((sizes.at(-1) ?? Infinity) / middle).toBeLessThan(1.2);
}

function describe(wanted: ReturnType<typeof createHostileRequest> | null, raw: Buffer | null): string {
  if (wanted === null) return `raw ${JSON.stringify(raw?.toString('latin1').slice(0, 300))}`;
  const { body, ...rest } = wanted;
  return JSON.stringify({ ...rest, body: body.toString('latin1').slice(0, 1_000) }).slice(0, 3_000);
}
