import { describe, expect, test } from '@jest/globals';
import type { KnownBlock, ModalView } from '@slack/types';
import fc from 'fast-check';
import { createAnswer } from '../../bot/blocks/answer.ts';
import { createCard, createClosedDuplicate } from '../../bot/blocks/card.ts';
import { createDetails, createDetailsView } from '../../bot/blocks/details.ts';
import {
  createApproveCommentForm,
  createBreakGlassForm,
  createConfirmForm,
  createRejectForm,
} from '../../bot/blocks/decision-forms.ts';
import { createClosedHome, createHome, idsOnHome } from '../../bot/blocks/home.ts';
import { createHistory, createPendingList, createServerList } from '../../bot/blocks/lists.ts';
import type { Message } from '../../bot/blocks/message.ts';
import { createNotice } from '../../bot/blocks/notice.ts';
import { createOutput, createOutputFile } from '../../bot/blocks/output.ts';
import { cutMiddle } from '../../bot/blocks/text.ts';
import { ACTION_STATUSES, isEnded } from '../../domain/lifecycle.ts';
import { judgeMetadata } from '../../sandbox/slack/block-kit/metadata.ts';
import { judgeMessageBlocks, judgeView } from '../../sandbox/slack/block-kit/surfaces.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { HomeContent } from '../../services/slack/homes.ts';
import type { ServerView } from '../../services/servers/server-view.ts';

const RUNS = { numRuns: 200 };
const MAX_TEXT = 4_000; // chat.update takes no more

const HOSTILE = [
  '<!channel>',
  '<@U0ANA>',
  '<https://evil.example|ok>',
  '*b*',
  '`',
  ':bomb:',
  '\u001b[31mred',
  '\u202Egpj',
  '\u200B',
  '\n\n',
  '\u0000',
  '&amp;',
  '\uD800',
  '"',
  '😀',
];
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.array(fc.constantFrom(...HOSTILE), { maxLength: 20 }).map((parts) => parts.join(' ')),
  fc.integer({ min: 0, max: 70_000 }).map((length) => 'x<'.repeat(length / 2)),
  fc.constant('a b\n'.repeat(10_000)),
);
const orNull = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const date = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
const id = fc.uuid();

const action: fc.Arbitrary<ActionView> = fc.record({
  id,
  server: text,
  playbook: text,
  playbookDigest: text,
  params: fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean()), { maxKeys: 12 }),
  argvPreview: fc.array(fc.array(text, { maxLength: 8 }), { maxLength: 8 }),
  risk: fc.constantFrom('low', 'medium', 'high', 'critical'),
  status: fc.constantFrom(...ACTION_STATUSES),
  reason: orNull(text),
  requestedBy: text,
  requestedVia: fc.constant('slack'),
  requestedAt: date,
  approvals: fc.array(
    fc.record({
      by: text,
      at: date,
      reason: orNull(text),
      groups: fc.array(text, { maxLength: 2 }),
      isBreakGlass: fc.boolean(),
    }),
    { maxLength: 30 },
  ),
  requirement: fc.record({
    approvals: fc.nat(3),
    from: orNull(fc.array(text, { maxLength: 3 })),
    text,
    distinctGroups: fc.boolean(),
    isReasonRequired: fc.boolean(),
    escalate: fc.constant([]),
    onTimeout: fc.constantFrom('expired', 'rejected'),
  }),
  approvalsRequired: fc.nat(3),
  approvalFrom: orNull(fc.array(text, { maxLength: 3 })),
  approvalRule: text,
  approvedBy: orNull(text),
  approvedAt: orNull(date),
  rejectedBy: orNull(text),
  rejectedAt: orNull(date),
  rejectionReason: orNull(text),
  cancelledBy: orNull(text),
  cancelReason: orNull(text),
  cancelRequestedAt: orNull(date),
  expiresAt: orNull(date),
  executedAt: orNull(date),
  completedAt: orNull(date),
  exitCode: orNull(fc.integer({ min: 0, max: 255 })),
  signal: orNull(text),
  stdout: orNull(text),
  stderr: orNull(text),
  stdoutBytes: orNull(fc.nat()),
  stderrBytes: orNull(fc.nat()),
  truncated: fc.boolean(),
  failureCode: orNull(fc.oneof(text, fc.constantFrom('timed_out', 'agent_lost', 'approval_timeout'))),
  attempt: fc.constant(1),
  alertId: fc.constant(null),
  dryRun: fc.boolean(),
  timeoutS: fc.nat(),
  slackChannel: fc.constant('C0MEDIC'),
  slackTs: fc.constant('1.2'),
  slackPermalink: orNull(fc.oneof(text, fc.constant('https://x.slack.com/archives/C0MEDIC/p12'))),
  isServerPaused: fc.boolean(),
  pausedBy: orNull(text),
  pauseReason: orNull(text),
  pausedUntil: orNull(date),
  queuedBehind: orNull(fc.record({ id, playbook: text, ahead: fc.nat(500) })),
  progress: orNull(fc.record({ step: fc.nat(20), steps: fc.nat(20) })),
  escalationStep: fc.nat(5),
  nextEscalationAt: orNull(date),
  hasLateResult: fc.boolean(),
});

const server: fc.Arbitrary<ServerView> = fc.record({
  id,
  name: text,
  tags: fc.array(text, { maxLength: 3 }),
  status: fc.constantFrom('online', 'offline', 'never_seen'),
  lastSeenAt: orNull(date),
  paused: fc.boolean(),
  pausedBy: orNull(text),
  pausedAt: orNull(date),
  pauseReason: orNull(text),
  pausedUntil: orNull(date),
  agentVersion: orNull(text),
  playbooks: fc.constant([]),
  running: fc.constant([]),
  queued: fc.nat(100),
});

function expectFine(message: Message): void {
  expect(judgeMessageBlocks(message.blocks)).toEqual({ error: undefined, messages: [] });
  expect(message.text.trim()).not.toBe('');
  expect(message.text.length).toBeLessThanOrEqual(MAX_TEXT);
  expect(message.blocks[0]).toMatchObject({ type: 'section', text: { type: 'plain_text' } });
  expectHarmless(message);
}

function expectFineHome(content: HomeContent): void {
  const ids = idsOnHome(content);
  const home = createHome(content, JSON.stringify({ ids }));
  expect(judgeView(home, 'home')).toEqual({ error: undefined, messages: [] });
  expect(home.blocks[0]).toMatchObject({ type: 'section', text: { type: 'plain_text' } });
  for (const { value } of partsOf(home.blocks)) if (value !== undefined) expect(ids).toContain(value);
  expectHarmless({ text: '', blocks: home.blocks as KnownBlock[] });
}

interface Part {
  value?: unknown;
  type?: string;
  text?: unknown;
  emoji?: boolean;
  verbatim?: boolean;
  accessibility_label?: string;
  url?: string;
}

/** mrkdwn holds only our own dates and the link to the card; nothing else can mention, link or format. */
function expectHarmless(message: Message): void {
  expect(message.text.replace(/&(?:amp|lt|gt);/g, '')).not.toMatch(/[<>&]/);
  for (const part of partsOf(message.blocks)) {
    expect(['user', 'usergroup', 'channel', 'broadcast', 'link', 'emoji', 'markdown']).not.toContain(part.type);
    if (part.type === 'plain_text') expect(part.emoji).toBe(false);
    if (part.type === 'mrkdwn')
      expect(String(part.text)).toMatch(
        /^(?:[A-Z][a-z ]+ <!date\^\d+\^[^<>|]+\|[\d: -]+UTC>|Until somebody unpauses it|<https:\/\/[^<>|\s]+\|Open the card>)$/,
      );
    if (part.accessibility_label !== undefined) expect(part.accessibility_label).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    if (typeof part.text === 'string' && part.type !== 'mrkdwn') {
      expect(part.text).not.toMatch(/[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}]/u);
    }
  }
}

function partsOf(value: unknown): Part[] {
  if (Array.isArray(value)) return value.flatMap(partsOf);
  if (typeof value !== 'object' || value === null) return [];
  return [value as Part, ...Object.values(value).flatMap(partsOf)];
}

describe('every message', () => {
  test('of one action keeps the limits of Slack and says nothing that mentions, links or formats', () => {
    fc.assert(
      fc.property(action, (view) => {
        const card = createCard(view);
        expectFine(card);
        expect(judgeMetadata(card.metadata)).toBeUndefined();
        expectFine(createClosedDuplicate(view));
        expectFine(createDetails(view));
        expectFine(createOutput(view));
        if (view.slackPermalink === null || view.slackPermalink.startsWith('https:')) {
          expectFine(createNotice(view));
          expectFine(createNotice(view, 'break_glass'));
        } else expectHarmless(createNotice(view));
      }),
      RUNS,
    );
  });

  test('of lists and answers does too', () => {
    const lists = fc.record({
      actions: fc.array(action, { maxLength: 25 }),
      servers: fc.array(server, { maxLength: 25 }),
      sentence: text,
    });
    fc.assert(
      fc.property(lists, ({ actions, servers, sentence }) => {
        expectFine(createPendingList(actions));
        expectFine(createHistory(actions, sentence));
        expectFine(createServerList(servers));
        expectFine(
          createAnswer(
            sentence,
            actions.map((view) => view.server),
          ),
        );
        expectFineHome({ waiting: actions, asked: actions, failed: actions, paused: servers });
        expect(judgeView(createClosedHome(sentence), 'home').messages).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test('of forms does too', () => {
    const input = fc.record({ action, names: fc.uniqueArray(text, { maxLength: 120 }) });
    fc.assert(
      fc.property(input, ({ action: view }) => {
        const forms: ModalView[] = [
          createRejectForm({ action: view, privateMetadata: 'sealed' }),
          createApproveCommentForm({ action: view, privateMetadata: 'sealed' }),
          createConfirmForm({ action: view, privateMetadata: 'sealed' }),
          createBreakGlassForm({ action: view, privateMetadata: 'sealed' }),
          createDetailsView(view),
        ];
        for (const form of forms) expect(judgeView(form, 'modal').messages).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a card', () => {
  test('has buttons to decide exactly while they can work', () => {
    fc.assert(
      fc.property(action, (view) => {
        const names = partsOf(createCard(view).blocks).flatMap((part) => ('action_id' in part ? [part.action_id] : []));
        const canDecide = view.status === 'pending' && view.approvalsRequired > 0;
        expect(names.includes('medic_approve')).toBe(canDecide);
        expect(names.includes('medic_reject')).toBe(canDecide);
        expect(names.includes('medic_more')).toBe(canDecide);
        if (isEnded(view.status)) expect(names).toEqual(['medic_details']);
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
