import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHistory } from '../../bot/blocks/lists.ts';
import { describeFailure } from '../../domain/outcome-words.ts';
import { describeEnd } from '../../services/actions/describe-end.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { action } from '../support/generated-views.ts';

/** Contract §5: what an action that ended may say of itself. */
const FAILURE_CODES = [
  'exit_nonzero',
  'timed_out',
  'interrupted',
  'agent_lost',
  'cancel_unconfirmed',
  'agent_offline',
  'queue_timeout',
  'fleet_limit',
  'tag_share',
  'held_back',
  'approval_timeout',
  'server_paused',
  'server_revoked',
  'playbook_changed',
  'unknown_playbook',
  'invalid_params',
  'not_allowed_here',
  'halted',
  'refused_disk',
  'stale_seq',
];

const [any] = fc.sample(action, { numRuns: 1, seed: 1 });
const plain: ActionView = {
  ...(any as ActionView),
  playbook: 'restart-service',
  server: 'web-1',
  requestedBy: 'ana',
  exitCode: null,
  signal: null,
  executedAt: null,
  mayHaveRun: false,
  unknownSince: null,
  argvPreview: [],
};

const tell = (change: Partial<ActionView>): string =>
  JSON.stringify(createHistory([{ ...plain, ...change }], undefined));

describe('the history', () => {
  test.each(FAILURE_CODES)('says %s in words, in the table and as text', (failureCode) => {
    const words = describeFailure({ failureCode }) ?? '';
    expect(words).not.toContain('the reason is');
    for (const status of ['failed', 'expired', 'cancelled'] as const) {
      const told = tell({ status, failureCode });
      expect(told.split(words)).toHaveLength(3);
      expect(told.replaceAll(words, '')).not.toContain(failureCode);
    }
  });

  test('does not say that somebody is waited for where nobody is', () => {
    const told = tell({ status: 'pending', approvalsRequired: 0, approvals: [] });
    expect(told).not.toContain('waits for approval');
  });

  test('never names Medic itself as if it were a person', () => {
    expect(tell({ status: 'rejected', rejectedBy: 'system', failureCode: 'approval_timeout' })).not.toContain('system');
    expect(tell({ status: 'cancelled', cancelledBy: 'system', failureCode: null })).not.toContain('system');
  });
});

describe('who comes too late', () => {
  test.each(FAILURE_CODES)('is told of %s in words', (failureCode) => {
    for (const status of ['failed', 'expired', 'cancelled'] as const) {
      const told = describeEnd({ ...plain, status, failureCode, cancelledBy: 'system' });
      expect(told.replaceAll(describeFailure({ failureCode }) ?? '', '')).not.toContain(failureCode);
      expect(told).not.toContain('system');
    }
  });
});
