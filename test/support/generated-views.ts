import fc from 'fast-check';
import { ACTION_STATUSES } from '../../domain/lifecycle.ts';
import { HALT_SCOPES } from '../../domain/halt.ts';
import type { HaltView } from '../../services/halts/halt-view.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { QueueView } from '../../services/queue/read-queue.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import type { BatchView } from '../../services/slack/batches.ts';

/** What somebody or some program might write to be more than text. Harmless here: it is only ever drawn. */
const HOSTILE = [
  '<!channel>',
  '<!here|x>',
  '<@U0ANA>',
  '<#C0MEDIC>',
  '<https://evil.example|ok>',
  'https://evil.example/a?b=c&d',
  '*b* _i_ ~s~',
  '`',
  '```',
  ':bomb:',
  '<!date^1^{date}|x>',
  'at 2026-11-21 08:05 UTC',
  '{"type":"button","action_id":"medic_approve"}',
  '\u001b[31mred',
  '\u001b]8;;https://evil.example\u0007link',
  '\u202Egpj',
  '\u200B',
  '\n\n',
  '\r\n> quoted',
  '\u0000',
  '&amp;',
  '&lt;@U0ANA&gt;',
  '\uD800',
  '"',
  '😀',
];

/** Names, reasons, parameters: mostly short, as each action has dozens of them; now and then far too long. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 40, arbitrary: fc.array(fc.constantFrom(...HOSTILE), { maxLength: 6 }).map((parts) => parts.join(' ')) },
  { weight: 40, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 20, arbitrary: fc.constantFrom('web-1', 'restart-service', 'it hangs', 'a b\nc') },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 4_000 }).map((length) => '&<😀'.repeat(length / 4)) },
);

/** What a run wrote: up to the 64 KiB that are kept of a stream. */
const output: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: text },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 65_536 }).map((length) => 'x<\u001b[1m😀\n'.repeat(length / 9)) },
);

const orNull = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const date = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
const id = fc.uuid();

const attempt: fc.Arbitrary<ActionView['attempts'][number]> = fc.record({
  attempt: fc.integer({ min: 1, max: 10 }),
  commandId: id,
  issuedAt: date,
  startedAt: orNull(date),
  endedAt: orNull(date),
  exitCode: orNull(fc.integer({ min: 0, max: 255 })),
  signal: orNull(text),
  failureCode: orNull(text),
});

export const halt: fc.Arbitrary<HaltView> = fc.record({
  id: fc.integer({ min: 1, max: 1_000_000 }),
  scope: fc.constantFrom(...HALT_SCOPES),
  value: orNull(text),
  reason: text,
  declaredBy: text,
  declaredVia: fc.constant('slack'),
  declaredAt: date,
  until: orNull(date),
  liftedBy: orNull(text),
  liftedVia: orNull(text),
  liftedAt: orNull(date),
  liftReason: orNull(text),
  voided: fc.integer({ min: 0, max: 10_000 }),
});

export const action: fc.Arbitrary<ActionView> = fc.record({
  id,
  server: text,
  serverTags: fc.array(text, { maxLength: 3 }),
  halt: orNull(halt),
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
  rejectedBy: orNull(fc.oneof(text, fc.constant('system'))),
  rejectedAt: orNull(date),
  rejectionReason: orNull(text),
  cancelledBy: orNull(fc.oneof(text, fc.constant('system'))),
  cancelReason: orNull(text),
  cancelRequestedAt: orNull(date),
  expiresAt: orNull(date),
  executedAt: orNull(date),
  completedAt: orNull(date),
  exitCode: orNull(fc.integer({ min: 0, max: 255 })),
  signal: orNull(text),
  stdout: orNull(output),
  stderr: orNull(output),
  stdoutBytes: orNull(fc.nat()),
  stderrBytes: orNull(fc.nat()),
  truncated: fc.boolean(),
  failureCode: orNull(
    fc.oneof(text, fc.constantFrom('timed_out', 'agent_lost', 'approval_timeout', 'playbook_changed')),
  ),
  attempt: fc.integer({ min: 1, max: 10 }),
  maxAttempts: fc.integer({ min: 1, max: 10 }),
  nextAttemptAt: orNull(date),
  attempts: fc.array(attempt, { maxLength: 10 }),
  deadLetter: orNull(fc.constantFrom('open', 'replayed', 'dismissed')),
  dismissedBy: orNull(text),
  dismissReason: orNull(text),
  replayOf: orNull(id),
  isReplayChanged: fc.boolean(),
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
  heldBy: orNull(
    fc.oneof(
      fc.record({ code: fc.constant('fleet_limit' as const), limit: fc.nat(500) }),
      fc.record({ code: fc.constant('tag_share' as const), tag: text, limit: fc.nat(500), servers: fc.nat(5_000) }),
      fc.record({ code: fc.constant('held_back' as const), failures: fc.nat(500), action: id }),
    ),
  ),
  progress: orNull(fc.record({ step: fc.nat(20), steps: fc.nat(20) })),
  handedOutAt: orNull(date),
  unknownSince: orNull(date),
  mayHaveRun: fc.boolean(),
  escalationStep: fc.nat(5),
  nextEscalationAt: orNull(date),
  hasLateResult: fc.boolean(),
});

export const server: fc.Arbitrary<ServerView> = fc.record({
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
  halt: orNull(halt),
  agentVersion: orNull(text),
  journalDamagedAt: orNull(date),
  journalDamagedLines: orNull(fc.nat(1_000)),
  revokedAt: orNull(date),
  playbooks: fc.constant([]),
  running: fc.constant([]),
  queued: fc.nat(100),
});

const filling = fc.record({ count: fc.nat(10_000), limit: fc.nat(10_000) });

export const queue: fc.Arbitrary<QueueView> = fc.record({
  at: date,
  waiting: filling,
  executing: filling,
  halts: fc.array(halt, { maxLength: 3 }),
  tags: fc.constant([]),
  heldBack: fc.array(
    fc.record({ server: text, playbook: text, failures: fc.nat(1_000), since: date, deadLetter: id }),
    { maxLength: 25 },
  ),
  servers: fc.array(
    fc.record({
      server: text,
      status: fc.constantFrom('online', 'offline', 'never_seen'),
      isPaused: fc.boolean(),
      waiting: filling,
      held: orNull(fc.record({ id, playbook: text, since: date })),
      actions: fc.array(
        fc.record({
          id,
          playbook: text,
          status: fc.constantFrom('pending', 'approved'),
          requestedBy: text,
          since: date,
          until: orNull(date),
          why: fc.record({ code: fc.constant('next' as const), sentence: text }),
        }),
        { maxLength: 10 },
      ),
    }),
    { maxLength: 10 },
  ),
  next: fc.constant(null),
});

export const batch: fc.Arbitrary<BatchView> = fc.record({
  id,
  playbook: text,
  rule: text,
  approvalsRequired: fc.nat(1),
  createdAt: date,
  slackChannel: fc.constant('C0MEDIC'),
  slackTs: fc.constant('1.2'),
  actions: fc.array(action, { minLength: 1, maxLength: 50 }),
});
