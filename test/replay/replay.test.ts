import { beforeAll, describe, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { routeTemporalLogs } from '../../worker/runtime.ts';
import { bundleWorkflows } from '../../worker/worker.ts';

const HISTORIES = join(import.meta.dirname, 'histories');
const files = readdirSync(HISTORIES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));

describe('a run that was in flight when the code changed', () => {
  let workflowBundle: Awaited<ReturnType<typeof bundleWorkflows>>;
  beforeAll(async () => {
    routeTemporalLogs(pino({ level: 'silent' }));
    workflowBundle = await bundleWorkflows();
  });

  test('has recorded histories to stand for it', () => {
    expect(files.length).toBeGreaterThanOrEqual(7);
  });

  test.each(files)('replays %s without a difference', async (file) => {
    const history: unknown = JSON.parse(readFileSync(join(HISTORIES, file), 'utf8'));
    await expect(Worker.runReplayHistory({ workflowBundle }, history)).resolves.toBeUndefined();
  });

  test('is told apart from one that another workflow made', async () => {
    const text = readFileSync(join(HISTORIES, '1', 'approved-completed.json'), 'utf8');
    const changed = JSON.parse(text) as { events: { eventType: string }[] };
    changed.events = changed.events.filter(({ eventType }) => !/TIMER_STARTED/.test(eventType));
    await expect(Worker.runReplayHistory({ workflowBundle }, changed)).rejects.toThrow();
  });
});
