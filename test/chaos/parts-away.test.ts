import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import pg from 'pg';
import { takePort } from '../../sandbox/ports.ts';
import { startMedicProcess } from '../support/medic-process.ts';
import { poll } from '../support/poll.ts';
import type { ProcessStack } from '../support/process-stack.ts';
import { startProcessStack } from '../support/process-stack.ts';
import { readStack } from '../support/stack.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let stack: ProcessStack;
let temporal: TcpProxy;

beforeAll(async () => {
  temporal = await startTcpProxy(readStack().temporalAddress);
  stack = await startProcessStack({ parts: ['api', 'worker'], env: { TEMPORAL_ADDRESS: temporal.address } });
}, 120_000);
afterAll(async () => {
  await stack.stop();
  await temporal.stop();
}, 60_000);

describe('a part that is not there at the start', () => {
  test.each([
    ['PostgreSQL', (port: number) => ({ DATABASE_URL: `postgres://medic@127.0.0.1:${port}/medic` }), 'database_away'],
    ['Temporal', (port: number) => ({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` }), 'temporal_away'],
  ])(
    '%s: medic server ends with one sentence and its code',
    async (_name, settingOf, code) => {
      const { port } = await takePort();
      const { port: listen } = await takePort();
      const env = { ...stack.env, ...settingOf(port), MEDIC_LISTEN: `127.0.0.1:${listen}` };
      const server = startMedicProcess(['server'], env);
      expect(await server.ended).toBe(1);
      expect(server.printed()).toContain(code);
      expect(server.printed()).toContain(`127.0.0.1:${port}`);
      expect(server.printed()).not.toMatch(/^\s+at /m);
    },
    60_000,
  );
});

describe('a database whose connections are cut in the middle of an action', () => {
  test('is connected to again, and the action completes, started once', async () => {
    const { id } = await stack.request();
    await poll('the repair to start', () => existsSync(stack.marker));
    const url = new URL(stack.env['DATABASE_URL'] ?? '');
    const database = url.pathname.slice(1);
    url.pathname = '/postgres';
    const admin = new pg.Client({ connectionString: url.href });
    await admin.connect();
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
    await admin.end();
    writeFileSync(stack.gate, '');
    const ended = await awaitEnd(id);
    expect(ended).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(readFileSync(stack.marker, 'utf8').match(/^start /gm)).toHaveLength(1);
  }, 120_000);
});

describe('Temporal, cut off in the middle of an action', () => {
  beforeEach(() => {
    for (const file of [stack.marker, stack.gate]) rmSync(file, { force: true });
  });

  test('the result is kept, and ends the action once Temporal is back', async () => {
    const { id } = await stack.request();
    await poll('the repair to start', () => existsSync(stack.marker));
    await temporal.cut();
    writeFileSync(stack.gate, '');
    await poll('the result to be taken', () => readFileSync(stack.marker, 'utf8').includes('end '));
    expect((await stack.read(id)).status).not.toBe('completed');
    await temporal.mend();
    expect(await awaitEnd(id)).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(readFileSync(stack.marker, 'utf8').match(/^start /gm)).toHaveLength(1);
  }, 120_000);

  test('an approval is recorded, told as that, and applied once when Temporal is back', async () => {
    const [ana, bob] = await Promise.all([
      stack.as({ principal: 'ana', role: 'operator' }),
      stack.as({ principal: 'bob', role: 'approver' }),
    ]);
    const { items } = (await ana('GET', '/api/v1/servers')) as { items: { id: string }[] };
    await ana('PUT', `/api/v1/servers/${items[0]?.id ?? ''}/pause`, { reason: 'Temporal goes away' });
    const { id } = await stack.request();
    await temporal.cut();
    const answer = await bob('POST', `/api/v1/actions/${id}/approve`, {});
    expect(answer).toMatchObject({ outcome: 'recorded', status: 'pending' });
    writeFileSync(stack.gate, '');
    await temporal.mend();
    expect(await awaitEnd(id)).toMatchObject({ status: 'completed', approvals: [{ by: 'bob' }] });
    expect(readFileSync(stack.marker, 'utf8').match(/^start /gm)).toHaveLength(1);
  }, 120_000);
});

async function awaitEnd(id: string): Promise<unknown> {
  return poll('the action to end', async () => {
    const action = await stack.read(id).catch(() => null); // the API may say 503 while it connects again
    return action !== null && ['completed', 'failed', 'expired'].includes(action.status) && action;
  });
}
