import type { KnownBlock } from '@slack/types';
import { MAX_ARGV_TEXT, writeArgv } from '../../domain/argv-text.ts';
import { describeOutcome } from '../../domain/outcome-words.ts';
import { AUTO_ACTOR, SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { HaltView } from '../../services/halts/halt-view.ts';
import { shortId } from './names.ts';
import { preformattedBlock } from './parts.ts';
import { cut, toLine } from './text.ts';

/** A label and what is so; a Date stands in the reader's own time. */
export type Fact = readonly [label: string, ...value: (string | Date)[]];

export const MAX_NAME = 120;
export const MAX_REASON = 600;
const MAX_COMMENT = 200;
const MAX_PARAMS = 900;
const MAX_ATTEMPTS = 3; // the last ones; their number stands in the sentence
const MAX_APPROVALS = 8; // the last ones; their number stands in the sentence

/** What was asked, of whom, and under which rule. */
export function requestFacts(action: ActionView): Fact[] {
  const server = `${toLine(action.server, MAX_NAME)}${action.isServerPaused ? ' (paused)' : ''}`;
  const params = Object.entries(action.params).map(([name, value]) => `${name}=${toLine(String(value), 200)}`);
  return [
    ['Server', server],
    ['Playbook', toLine(action.playbook, MAX_NAME)],
    ['Parameters', toLine(params.join('  ') || 'none', MAX_PARAMS)],
    ['Risk', action.risk],
    ...(action.maxAttempts === 1 ? [] : [['Attempts', `up to ${action.maxAttempts}`] as const]),
    ['Requested by', `${toLine(action.requestedBy, MAX_NAME)}, `, action.requestedAt],
    ['Reason', action.reason === null ? 'none given' : toLine(action.reason, MAX_REASON)],
    ...replayFacts(action),
    ['Rule', toLine(action.approvalRule || 'none', MAX_REASON)],
  ];
}

/**
 * Each step's argument list, exactly, one a line: arguments are told apart by quotes where it matters. What would be
 * longer cannot be asked for; older actions may hold it.
 */
export function argvBlock(action: Pick<ActionView, 'argvPreview'>): KnownBlock {
  const text = writeArgv(action.argvPreview);
  const left = text.length - MAX_ARGV_TEXT;
  return preformattedBlock(
    left <= 0 ? text : `${cut(text, MAX_ARGV_TEXT)}\n(${left} more characters are not shown here)`,
  );
}

/** `Approved by: bob (1 of 2), today 14:05, “fine with me”`, oldest first. */
export function approvalFacts(action: ActionView): Fact[] {
  const needed = Math.max(action.approvalsRequired, action.approvals.length);
  const facts = action.approvals.map(({ by, at, reason, isBreakGlass }, index): Fact => {
    const count = needed > 1 && !isBreakGlass ? ` (${index + 1} of ${needed})` : '';
    const comment = reason === null ? [] : [`, ${quoteWords(reason)}`];
    return [
      isBreakGlass ? 'Approved past the rule (break glass) by' : 'Approved by',
      `${toLine(by, MAX_NAME)}${count}, `,
      at,
      ...comment,
    ];
  });
  if (facts.length > 0) return facts.slice(-MAX_APPROVALS);
  if (action.approvedBy === null) return [];
  const when = action.approvedAt === null ? [] : [', ', action.approvedAt];
  const who =
    action.approvedBy === AUTO_ACTOR ? 'auto, as its rule asks for nobody' : toLine(action.approvedBy, MAX_NAME);
  return [['Approved by', who, ...when]];
}

/** The last attempts that failed before the present one: `Attempt 1: a step failed; exit code 1, 14:05`. */
export function attemptFacts(action: ActionView): Fact[] {
  const isEnded = action.completedAt !== null;
  return action.attempts
    .filter(
      ({ endedAt, attempt, failureCode }) =>
        endedAt !== null && failureCode !== null && !(isEnded && attempt === action.attempt),
    )
    .map(({ attempt, endedAt, exitCode, signal, failureCode }): Fact => {
      const why = describeOutcome({ status: 'failed', exitCode, signal, failureCode });
      return [`Attempt ${attempt}`, `${toLine(why, MAX_NAME)}, `, ...(endedAt === null ? [] : [endedAt])];
    })
    .slice(-MAX_ATTEMPTS);
}

function replayFacts({ replayOf, isReplayChanged }: ActionView): Fact[] {
  if (replayOf === null) return [];
  return [['Replay of', `${shortId(replayOf)}${isReplayChanged ? '; its playbook has changed since' : ''}`]];
}

/** What came of it after it was given up on. */
export function deadLetterFacts({ deadLetter, dismissedBy, dismissReason }: ActionView): Fact[] {
  if (deadLetter === 'replayed') return [['Asked for again', 'as an action of its own']];
  if (deadLetter !== 'dismissed') return [];
  return [['Dismissed by', `${toLine(dismissedBy ?? 'somebody', MAX_NAME)}, ${quoteWords(dismissReason ?? '')}`]];
}

/** Who asked to cancel or has cancelled it, and why. */
export function cancelFacts(action: ActionView): Fact[] {
  const { cancelledBy, cancelReason, cancelRequestedAt } = action;
  if (cancelledBy === null || cancelledBy === SYSTEM_ACTOR) return [];
  const label = action.status === 'cancelled' ? 'Cancelled by' : 'Cancel asked by';
  const when = cancelRequestedAt === null ? [] : [', ', cancelRequestedAt];
  return [
    [label, toLine(cancelledBy, MAX_NAME), ...when],
    ...(cancelReason === null ? [] : [['Because', toLine(cancelReason, MAX_REASON)] as const]),
  ];
}

/** Why even harmless actions wait there. */
export function pauseFacts(action: ActionView): Fact[] {
  if (!action.isServerPaused) return [];
  const { pausedBy, pauseReason, pausedUntil } = action;
  const why = pauseReason === null ? '' : `, ${quoteWords(pauseReason)}`;
  const until = pausedUntil === null ? [', until somebody unpauses it'] : [', until ', pausedUntil];
  return [['Server paused by', `${toLine(pausedBy ?? 'somebody', MAX_NAME)}${why}`, ...until]];
}

/** Nothing of it starts; what that means for it depends on how far it has come. */
export function haltFacts({ halt, status, nextAttemptAt, handedOutAt }: ActionView): Fact[] {
  if (halt === null) return [];
  const standing = nextAttemptAt === null ? status : 'approved';
  const isOut = standing === 'approved' && handedOutAt !== null;
  const means = isOut ? 'it is not handed out again; its agent may have it' : HALT_MEANS[standing];
  return [haltFact(halt), ['That means', means ?? 'nothing of it starts']];
}

const WHOLE = { name: MAX_NAME, reason: MAX_COMMENT };

/** What stands still, by whom, why and until when; in characters, names and the reason are no longer than `max`. */
export function haltFact(halt: HaltView, max = WHOLE): Fact {
  const until = halt.until === null ? [', until somebody lifts it'] : [', until ', halt.until];
  const label = halt.scope === 'all' ? 'Everything halted by' : `${haltWord(halt, max.name)} frozen by`;
  return [label, `${toLine(halt.declaredBy, max.name)}, ${quoteWords(halt.reason, max.reason)}`, ...until];
}

const HALT_MEANS: Readonly<Partial<Record<ActionView['status'], string>>> = {
  pending: 'nobody can approve it until then',
  approved: 'it will not start, and is cancelled when that ends',
  executing: 'it goes on, as it ran already; Cancel stops it',
};

function haltWord({ scope, value }: HaltView, maxName: number): string {
  const name = toLine(value ?? '', maxName);
  return scope === 'tag' ? `Servers tagged ${name}` : `Playbook ${name}`;
}

export function lateFacts(action: ActionView): Fact[] {
  return action.hasLateResult ? [['Late', 'a result came after the end and changed nothing; see the details']] : [];
}

/** What somebody wrote, as a quotation within a line. */
function quoteWords(words: string, max = MAX_COMMENT): string {
  return `“${toLine(words, max)}”`;
}
