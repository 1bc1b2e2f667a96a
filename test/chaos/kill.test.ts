import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { poll } from '../support/poll.ts';
import type { ProcessStack } from '../support/process-stack.ts';
import { startProcessStack } from '../support/process-stack.ts';

let stack: ProcessStack;

beforeEach(async () => {
  stack = await startProcessStack({ parts: ['api', 'worker'] });
}, 120_000);
afterEach(() => stack.stop(), 60_000);

/** Asks for the gated repair and waits until its process has really started. */
async function startRepair(): Promise<string> {
  const { id } = await stack.request();
  await poll('the repair to start', () => existsSync(stack.marker) && countStarts() === 1);
  return id;
}

const openGate = (): void => {
  writeFileSync(stack.gate, '');
};
const countStarts = (): number => (readFileSync(stack.marker, 'utf8').match(/^start /gm) ?? []).length;
const waitForEnd = (id: string) =>
  poll('the action to end', async () => {
    const action = await stack.read(id);
    return ['completed', 'failed', 'cancelled', 'expired'].includes(action.status) && action;
  });

describe('kill -9 in the middle of an action', () => {
  test('of the API: the action completes once it is back, started once', async () => {
    const id = await startRepair();
    await stack.kill('api');
    openGate();
    await stack.restart('api');
    expect(await waitForEnd(id)).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(countStarts()).toBe(1);
  }, 120_000);

  test('of the worker: the action completes once it is back, started once', async () => {
    const id = await startRepair();
    await stack.kill('worker');
    openGate();
    await poll('the end of the repair', () => readFileSync(stack.marker, 'utf8').includes('end '));
    await stack.restart('worker');
    expect(await waitForEnd(id)).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(countStarts()).toBe(1);
  }, 120_000);

  test('of the agent: the action fails as interrupted, and is never run again', async () => {
    const id = await startRepair();
    await stack.kill('agent');
    await stack.restart('agent');
    expect(await waitForEnd(id)).toMatchObject({ status: 'failed', failure_code: 'interrupted' });
    openGate();
    expect(countStarts()).toBe(1);
    expect(readFileSync(stack.marker, 'utf8')).not.toContain('end ');
    const next = await stack.request();
    expect(await waitForEnd(next.id)).toMatchObject({ status: 'completed' });
  }, 120_000);
});
