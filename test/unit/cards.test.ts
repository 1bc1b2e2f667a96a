import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createAnswer } from '../../bot/blocks/answer.ts';
import { createCard } from '../../bot/blocks/card.ts';
import { createClosedHome } from '../../bot/blocks/home.ts';
import { createOutcome } from '../../bot/blocks/outcome.ts';
import { createOutput, createOutputFile } from '../../bot/blocks/output.ts';
import { cutMiddle, showDuration } from '../../bot/blocks/text.ts';
import { isEnded } from '../../domain/lifecycle.ts';
import { judgeMetadata } from '../../sandbox/slack/block-kit/metadata.ts';
import { judgeView } from '../../sandbox/slack/block-kit/surfaces.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { partsOf } from '../support/expect-fine.ts';
import { action, text } from '../support/generated-views.ts';

const RUNS = { numRuns: 200 };

describe('every card', () => {
  test('has metadata that Slack takes, and a word for whom Medic does not know', () => {
    fc.assert(
      fc.property(action, text, (view, sentence) => {
        expect(judgeMetadata(createCard(view).metadata)).toBeUndefined();
        expect(judgeView(createClosedHome(sentence), 'home').messages).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('the card of an action', () => {
  test('has buttons to decide exactly while they can work', () => {
    fc.assert(
      fc.property(action, (view) => {
        const names = partsOf(createCard(view).blocks).flatMap(({ action_id: name }) => name ?? []);
        const canDecide = view.status === 'pending' && view.approvalsRequired > 0;
        expect(names.includes('medic_approve')).toBe(canDecide && view.halt === null);
        expect(names.includes('medic_reject')).toBe(canDecide);
        expect(names.includes('medic_more')).toBe(canDecide);
        const isChanged = view.status === 'cancelled' && view.failureCode === 'playbook_changed';
        const last = isChanged ? ['medic_details', 'medic_ask_again'] : ['medic_details'];
        if (isEnded(view.status)) expect(names).toEqual(last);
      }),
      RUNS,
    );
  });

  test('tells the exit code of what failed or was cancelled once', () => {
    const [view] = fc.sample(action, { numRuns: 1, seed: 1 }) as [ActionView];
    const ended = { ...view, exitCode: 77, signal: null, reason: null, approvals: [], failureCode: null };
    for (const status of ['failed', 'cancelled'] as const) {
      expect(JSON.stringify(createCard({ ...ended, status }).blocks).split('exit code 77')).toHaveLength(2);
    }
  });

  test('counts the attempts of what is tried again, tells why the last one failed, and can be cancelled', () => {
    const [view] = fc.sample(action, { numRuns: 1, seed: 1 }) as [ActionView];
    const at = new Date('2026-11-21T08:05:00Z');
    const first = { attempt: 1, commandId: 'c', issuedAt: at, startedAt: at, endedAt: at, exitCode: 3, signal: null };
    const retried: ActionView = {
      ...{
        ...view,
        server: 'web-1',
        playbook: 'restart-service',
        status: 'executing',
        halt: null,
        dryRun: false,
        completedAt: null,
        unknownSince: null,
        handedOutAt: null,
      },
      ...{ cancelRequestedAt: null, attempt: 2, maxAttempts: 3, attempts: [{ ...first, failureCode: 'exit_nonzero' }] },
    };
    const waiting = createCard({ ...retried, nextAttemptAt: at });
    expect(waiting.text).toBe('restart-service on web-1 is tried again: a step failed; attempt 2 of 3 is next.');
    const second = { ...first, attempt: 2, endedAt: null, exitCode: null, failureCode: null };
    const attempts = [...retried.attempts, second];
    const handedOut = createCard({ ...retried, attempts, nextAttemptAt: at, handedOutAt: at });
    expect(handedOut.text).toMatch(/: a step failed; attempt 2 of 3 was handed to its agent\.$/);
    expect(partsOf(waiting.blocks).map(({ action_id: name }) => name)).toContain('medic_cancel');
    expect(JSON.stringify(waiting.blocks)).toContain('a step failed; exit code 3');
    const running = createCard({ ...retried, nextAttemptAt: null, progress: null, approvals: [], approvedBy: 'auto' });
    expect(running.text).toContain('is running, attempt 2 of 3, approved by auto.');
  });

  test('says since when nobody knows what becomes of what was handed out, and handed out is not running', () => {
    const [view] = fc.sample(action, { numRuns: 1, seed: 1 }) as [ActionView];
    const at = new Date('2026-11-21T03:12:00Z');
    const open: ActionView = {
      ...{ ...view, halt: null, dryRun: false, nextAttemptAt: null, cancelRequestedAt: null, completedAt: null },
      ...{ maxAttempts: 1, attempts: [], approvals: [], approvedBy: 'bob', progress: null, handedOutAt: at },
    };
    const tell = (change: Partial<ActionView>): string => JSON.stringify(createCard({ ...open, ...change }));
    const heard = { unknownSince: null };
    expect(tell({ ...heard, status: 'approved', handedOutAt: null })).toContain('waits to start');
    expect(tell({ ...heard, status: 'approved' })).toContain('was handed to its agent');
    expect(tell({ ...heard, status: 'approved' })).not.toMatch(/running|Unknown since/);
    expect(tell({ ...heard, status: 'executing' })).toContain('is running');
    for (const status of ['approved', 'executing'] as const) {
      const told = tell({ status, unknownSince: at });
      expect(told).toContain('Unknown since');
      expect(told).toContain('what becomes of it is not known');
      expect(told).not.toContain('is running');
    }
  });

  test('shows each argument for itself, and what cannot be seen', () => {
    const [view] = fc.sample(action, { numRuns: 1, seed: 1 });
    const card = createCard({ ...(view as ActionView), argvPreview: [['/bin/echo', 'a b', 'c\u202Ed', '']] });
    expect(JSON.stringify(card.blocks)).toContain(JSON.stringify('/bin/echo "a b" "c\\u{202e}d" ""').slice(1, -1));
  });
});

describe('the private message about an end', () => {
  test('tells whoever asked why it was rejected', () => {
    const [view] = fc.sample(action, { numRuns: 1, seed: 1 }) as [ActionView];
    const rejected = { ...view, status: 'rejected' as const, rejectedBy: 'bob', rejectionReason: 'One is enough.' };
    expect(createOutcome(rejected).text).toContain('was rejected by bob. Because: “One is enough.”');
    expect(createOutcome({ ...rejected, status: 'completed' }).text).not.toContain('Because');
  });
});

describe('output', () => {
  const [any] = fc.sample(action, { numRuns: 1, seed: 1 });
  const view = { ...(any as ActionView), stdout: 'a\nb\n', stderr: '', truncated: false };

  test('stands in the thread as it is where it is short', () => {
    expect(JSON.stringify(createOutput(view).blocks)).toContain(JSON.stringify('a\nb'));
    expect(JSON.stringify(createOutput(view).blocks)).not.toContain('stderr');
    expect(createOutputFile(view)).toBeNull();
  });

  test('has its middle left out where it is long, and all of it in a file', () => {
    const stdout = `first\n${'x'.repeat(20_000)}\nlast`;
    const [, , shown] = createOutput({ ...view, stdout }).blocks;
    expect(JSON.stringify(shown)).toMatch(/"first\\n.*characters are left out here.*last"/);
    expect(createOutputFile({ ...view, stdout })?.content).toContain(stdout);
  });

  test('never loses half a character', () => {
    for (const chars of [10, 11]) {
      expect(cutMiddle('😀'.repeat(40), { headChars: chars, tailChars: chars }).isWellFormed()).toBe(true);
    }
  });
});

describe('an answer', () => {
  test('tells times in the zone of whoever reads it, beside the UTC of the sentence', () => {
    const { text: words, blocks } = createAnswer('It was already rejected by cid at 2026-11-21 08:05 UTC.');
    expect(words).toContain('2026-11-21 08:05 UTC');
    expect(JSON.stringify(blocks)).toContain(`In your time <!date^${Date.UTC(2026, 10, 21, 8, 5) / 1000}^`);
    expect(createAnswer('at 2026-99-99 99:99 UTC').blocks).toHaveLength(1);
  });
});

describe('a length of time', () => {
  test('leaves out what is nought', () => {
    const lengths = [0, 59_000, 120_000, 125_000, 3_840_000, 7_200_000];
    expect(lengths.map(showDuration)).toEqual(['0 s', '59 s', '2 min', '2 min 5 s', '1 h 4 min', '2 h']);
  });
});
