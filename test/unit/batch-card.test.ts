import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createBatchCard } from '../../bot/blocks/batch-card.ts';
import { fitsBatch } from '../../domain/batch-line.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { expectFine } from '../support/expect-fine.ts';
import { action } from '../support/generated-views.ts';

const [any] = fc.sample(action, { numRuns: 1, seed: 1 });
const plain: ActionView = {
  ...(any as ActionView),
  id: '1a2b3c4d-0000-4000-8000-000000000000',
  playbook: 'restart-service',
  server: 'web-1',
  params: { service: 'nginx' },
  argvPreview: [['/usr/bin/systemctl', 'restart', 'nginx']],
  status: 'pending',
  approvalsRequired: 1,
  reason: null,
  requestedBy: 'ana',
  approvedBy: null,
  rejectedBy: null,
  cancelledBy: null,
  exitCode: null,
  failureCode: null,
  isServerPaused: false,
  halt: null,
  queuedBehind: null,
  heldBy: null,
  progress: null,
  handedOutAt: null,
  unknownSince: null,
  mayHaveRun: false,
  maxAttempts: 1,
  nextAttemptAt: null,
  attempts: [],
  dryRun: false,
};

function cardOf(changes: readonly Partial<ActionView>[]): ReturnType<typeof createBatchCard> {
  return createBatchCard({
    id: 'b',
    playbook: 'restart-service',
    rule: 'One person must approve.',
    approvalsRequired: 1,
    createdAt: new Date(0),
    slackChannel: null,
    slackTs: null,
    actions: changes.map((change) => ({ ...plain, ...change })),
  });
}

const tell = (...changes: Partial<ActionView>[]): string => JSON.stringify(cardOf(changes).blocks);

const queuedBehind = { id: '9f8e7d6c-0000', playbook: 'clear-logs', ahead: 3 };
const halt: NonNullable<ActionView['halt']> = {
  ...{ id: 7, scope: 'playbook', value: 'restart-service', reason: 'it makes it worse', until: null, voided: 0 },
  ...{ declaredBy: 'bob', declaredVia: 'slack', declaredAt: new Date(0) },
  ...{ liftedBy: null, liftedVia: null, liftedAt: null, liftReason: null },
};
const pause = { isServerPaused: true, pausedBy: 'ana', pauseReason: 'a move', pausedUntil: null };

describe('the card of a batch', () => {
  test('says in each line what it is queued behind, how far it is, and how it ended', () => {
    expect(tell({ status: 'approved', queuedBehind })).toContain('approved, behind clear-logs (9f8e7d6c), 3 in all');
    expect(tell({ status: 'executing', progress: { step: 2, steps: 3 } })).toContain('running, step 2 of 3');
    expect(tell({ status: 'failed', failureCode: 'agent_lost' })).toContain('failed, nothing more was heard of');
    expect(tell({ status: 'cancelled', cancelledBy: 'system', failureCode: 'server_paused' })).toContain('by Medic');
    expect(tell({ dryRun: true })).toContain('service=nginx (dry run) for ana');
  });

  test('has buttons that say, read aloud, what they decide', () => {
    const told = tell({}, {});
    expect(told).toContain('"accessibility_label":"Approve all 2: restart-service"');
    expect(told).toContain('"accessibility_label":"Approve some of them: restart-service"');
    expect(told).toContain('"accessibility_label":"Reject all 2: restart-service"');
  });

  test('says who paused a server, why and until when, once for those that are paused alike', () => {
    const told = tell(pause, { ...pause, server: 'web-2' }, { ...pause, server: 'web-3', pausedUntil: new Date(0) });
    expect(told.split('waiting for approval, server paused by ana (1a2b3c4d)')).toHaveLength(4);
    expect(told).toContain('web-1, web-2 by ana, “a move”');
    expect(told).toContain('web-3 by ana, “a move”');
    expect(told.split('until somebody unpauses it')).toHaveLength(2);
    expect(tell({})).not.toContain('aused');
    expect(tell({ ...pause, status: 'completed' })).not.toContain('aused');
  });

  test('says what is halted, by whom and why, and offers no approval that would be refused', () => {
    const all = cardOf([{ halt }, { halt, status: 'approved' }, { status: 'completed' }]);
    expect(all.text).toMatch(/ The playbook restart-service is frozen\.$/);
    const told = JSON.stringify(all.blocks);
    expect(told).toContain('waiting for approval, frozen by bob');
    expect(told).toContain('Playbook restart-service frozen by: ');
    expect(told.split('it makes it worse')).toHaveLength(2);
    expect(told).toContain('Reject all 1');
    expect(told).not.toContain('Approve');
    expect(cardOf([{ halt }, {}]).text).not.toContain('frozen');
    expect(tell({ halt }, {})).toContain('Approve all 2');
    expect(tell({ halt, status: 'executing', progress: { step: 1, steps: 2 } })).toContain('running, step 1 of 2');
  });

  test('stays within what Slack takes with fifty lines as long as they can be', () => {
    const long = 'x'.repeat(400);
    const actions = Array.from({ length: 50 }, (_, index) => ({
      ...pause,
      halt: { ...halt, id: index, declaredBy: long, reason: long, value: long },
      server: `web-${index}`,
      pausedBy: `${index}${long}`,
      pauseReason: long,
      requestedBy: long,
      reason: long,
      approvedBy: long,
      params: { service: long },
      argvPreview: [[long, long, long, long]],
    }));
    expectFine(cardOf(actions));
    expect(JSON.stringify(cardOf(actions).blocks)).toContain('47 more; the lines name who paused them');
  });

  test('is for what it shows whole, steps included', () => {
    const fits = (steps: number): boolean =>
      fitsBatch({ server: 'web-1', params: {}, argvPreview: [['/bin/echo', 'x'.repeat(steps)]] });
    expect(fits(1_400)).toBe(true);
    expect(fits(1_600)).toBe(false);
  });
});
