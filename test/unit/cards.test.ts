import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createAnswer } from '../../bot/blocks/answer.ts';
import { createCard } from '../../bot/blocks/card.ts';
import { createClosedHome } from '../../bot/blocks/home.ts';
import { createOutput, createOutputFile } from '../../bot/blocks/output.ts';
import { cutMiddle } from '../../bot/blocks/text.ts';
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
        expect(names.includes('medic_approve')).toBe(canDecide);
        expect(names.includes('medic_reject')).toBe(canDecide);
        expect(names.includes('medic_more')).toBe(canDecide);
        const isChanged = view.status === 'cancelled' && view.failureCode === 'playbook_changed';
        const last = isChanged ? ['medic_details', 'medic_ask_again'] : ['medic_details'];
        if (isEnded(view.status)) expect(names).toEqual(last);
      }),
      RUNS,
    );
  });

  test('shows each argument for itself, and what cannot be seen', () => {
    const [view] = fc.sample(action, { numRuns: 1, seed: 1 });
    const card = createCard({ ...(view as ActionView), argvPreview: [['/bin/echo', 'a b', 'c\u202Ed', '']] });
    expect(JSON.stringify(card.blocks)).toContain(JSON.stringify('/bin/echo "a b" "c\\u{202e}d" ""').slice(1, -1));
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
