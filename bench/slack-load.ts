import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { requestAction } from '../services/actions/request-action.ts';
import type { TestControlPlane } from '../test/support/context.ts';
import { createTestControlPlane } from '../test/support/context.ts';
import { createScriptedAgent } from '../test/support/scripted-agent.ts';
import { insertTestServer } from '../test/support/servers.ts';

/*
 * All of Medic but the bot, for bench/slack-clicks.ts: a worker, and from the message `storm` on 500 requests a minute
 * and 1,000 agents that call in as often as held heartbeats end. It says `ready`; `stop` ends it, and is answered with the number of
 * requests.
 */
const REQUESTS_A_MINUTE = 500;
const AGENTS = 1_000;
const HELD_MS = 25_000; // the longest that a heartbeat is held
const SERVERS_ASKED_FOR = 20;
const WORKER_NICENESS = 10; // as `medic worker` has; who asks and the agents are on other machines outside a bench

const [url = '', taskQueue = ''] = process.argv.slice(2);
setPriority(WORKER_NICENESS);
const plane = await createTestControlPlane({ url, taskQueue });
await plane.startWorker();
const stopper = new AbortController();
const { signal } = stopper;
let asked = 0;
let storm: Promise<unknown> = Promise.resolve();

process.on('message', (message) => {
  if (message === 'storm')
    storm = Promise.all([ask(plane), ...Array.from({ length: AGENTS }, (_, n) => callIn(plane, n))]);
  if (message === 'stop') void stop();
});

process.send?.('ready');

async function stop(): Promise<void> {
  stopper.abort();
  await storm;
  process.send?.(asked);
  await plane.stop();
  process.disconnect();
}

async function ask({ ctx, asker }: TestControlPlane): Promise<void> {
  const servers = await Promise.all(Array.from({ length: SERVERS_ASKED_FOR }, () => insertTestServer(ctx)));
  const under: Promise<unknown>[] = [];
  while (!signal.aborted) {
    const server = servers[asked++ % servers.length]?.name ?? '';
    const request = { server, playbook: 'restart-service', params: { service: 'nginx' } };
    under.push(requestAction(ctx, asker('ana'), request)); // who asks does not wait for who asked before
    await sleep(60_000 / REQUESTS_A_MINUTE, undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(under);
}

async function callIn({ ctx }: TestControlPlane, index: number): Promise<void> {
  await sleep((index / AGENTS) * HELD_MS, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return;
  const { id } = await insertTestServer(ctx);
  const agent = createScriptedAgent(ctx, id);
  while (!signal.aborted) {
    await agent.beatOnce();
    await sleep(HELD_MS, undefined, { signal }).catch(() => undefined);
  }
}
