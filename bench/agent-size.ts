import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generatePrivateKeyPem, importSigningKey } from '../protocol/keys.ts';
import { bundleAgent } from '../sandbox/bundle-agent.ts';

/*
 * The bundle's size, and the memory of an idle agent ÷ that of a Node process that does nothing, in one run:
 * `node bench/agent-size.ts`. Idle means enrolled, with a heartbeat that is being held.
 */
const LIMIT_BYTES = 1_500_000;
const LIMIT_RATIO = 2;
const SETTLE_MS = 3_000;
const BEATS = 5; // answered before it is held, so that all of its code was used once

const folder = mkdtempSync(join(tmpdir(), 'medic-bench-'));
const plane = await startPlane();
const children: ChildProcess[] = [];
try {
  const { outfile, bytes } = await bundleAgent({ outfile: join(folder, 'agent.mjs') });
  console.log(`agent bundle: ${String(bytes)} bytes, ${(bytes / LIMIT_BYTES).toFixed(2)} of the limit of 1.5 MB`);
  await once(start([outfile, 'enroll', '--token', 'bench']), 'exit');
  const bare = start(['-e', 'setInterval(() => {}, 1e9)']);
  const agent = start([outfile, 'run']);
  await plane.isIdle;
  await sleep(SETTLE_MS);
  const [bareKib, agentKib] = [readRssKib(bare), readRssKib(agent)];
  console.log(`idle: agent ${String(agentKib)} KiB, bare Node ${String(bareKib)} KiB`);
  console.log(`idle agent ÷ bare Node: ${(agentKib / bareKib).toFixed(2)} (limit ${String(LIMIT_RATIO)})`);
} finally {
  for (const child of children) {
    if (child.exitCode !== null || !child.kill('SIGKILL')) continue;
    await once(child, 'exit');
  }
  plane.close();
  rmSync(folder, { recursive: true, force: true });
}

function start(args: string[]): ChildProcess {
  const playbooks = join(folder, 'playbooks');
  mkdirSync(playbooks, { recursive: true });
  chmodSync(playbooks, 0o700);
  const env = {
    MEDIC_CONTROL_PLANE_URL: plane.url,
    MEDIC_AGENT_DIR: join(folder, 'state'),
    MEDIC_AGENT_PLAYBOOKS: playbooks,
    MEDIC_LOG_LEVEL: 'error',
  };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child;
}

function readRssKib(child: ChildProcess): number {
  const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
}

/** Answers some heartbeats at once and holds the next one for good. */
async function startPlane() {
  const { publicKey } = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'bench' });
  const settings = { heartbeat_interval_s: 60, max_wait_s: 25 };
  const enrolment = { server_id: 'bench', command_keys: [publicKey], ...settings };
  const idle = Promise.withResolvers<undefined>();
  let beats = 0;
  const server = createServer((request, response) => {
    request.resume();
    const isEnrolment = request.url?.endsWith('/enroll') === true;
    if (!isEnrolment) beats += 1;
    if (beats > BEATS) {
      idle.resolve(undefined);
      return;
    }
    const none = { paused: false, halted: false, acked: ['none'], commands: [], cancel: [] };
    const answer = { server_time: new Date().toISOString(), ...none, heartbeat_interval_s: 60 };
    response.writeHead(isEnrolment ? 201 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isEnrolment ? enrolment : answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    isIdle: idle.promise,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
