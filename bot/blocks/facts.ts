import type { KnownBlock } from '@slack/types';
import { isEnded } from '../../domain/lifecycle.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { factsBlock, preformattedBlock, smallPrint } from './parts.ts';
import { cut, showTime, toLine } from './text.ts';

const MAX_NAME = 120;
const MAX_REASON = 600;
const MAX_PARAMS = 900;
const MAX_ARGV = 3_000; // all blocks together must stay below about 13,200 characters

/** What was asked, of whom, and under which rule. */
export function requestFacts(action: ActionView): KnownBlock {
  const server = `${toLine(action.server, MAX_NAME)}${action.isServerPaused ? ' (paused)' : ''}`;
  const params = Object.entries(action.params).map(([name, value]) => `${name}=${toLine(String(value), 200)}`);
  return factsBlock([
    ['Server', server],
    ['Playbook', toLine(action.playbook, MAX_NAME)],
    ['Parameters', toLine(params.join('  ') || 'none', MAX_PARAMS)],
    ['Risk', action.risk],
    ['Requested by', toLine(action.requestedBy, MAX_NAME)],
    ['Reason', action.reason === null ? 'none given' : toLine(action.reason, MAX_REASON)],
    ['Rule', toLine(action.approvalRule || 'none', MAX_REASON)],
  ]);
}

/** Each step's argument list, exactly, one a line: arguments are told apart by quotes where it matters. */
export function argvBlock(action: ActionView): KnownBlock {
  const lines = action.argvPreview.map((argv) => argv.map(quote).join(' '));
  const text = lines.join('\n') || '(no steps)';
  const left = text.length - MAX_ARGV;
  return preformattedBlock(left <= 0 ? text : `${cut(text, MAX_ARGV)}\n(${left} more characters are not shown here)`);
}

/** Nothing hidden: what is not plainly one word is shown as a JSON string. */
function quote(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  return JSON.stringify(argument).replace(/[^\x20-\x7E\p{L}\p{N}\p{P}\p{S}\p{M}]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Who did what, oldest first; people's names and words. */
export function storyFacts(action: ActionView): KnownBlock | null {
  const facts: [string, string][] = action.approvals.map(({ by, reason }) => [
    'Approved by',
    reason === null ? toLine(by, MAX_NAME) : `${toLine(by, MAX_NAME)}, “${toLine(reason, 200)}”`,
  ]);
  if (facts.length === 0 && action.approvedBy !== null)
    facts.push(['Approved by', toLine(action.approvedBy, MAX_NAME)]);
  if (action.rejectedBy !== null) {
    facts.push(['Rejected by', toLine(action.rejectedBy, MAX_NAME)]);
    facts.push(['Because', toLine(action.rejectionReason ?? 'no reason was given', MAX_REASON)]);
  }
  if (action.cancelledBy !== null) {
    facts.push(['Cancelled by', toLine(action.cancelledBy, MAX_NAME)]);
    if (action.cancelReason !== null) facts.push(['Because', toLine(action.cancelReason, MAX_REASON)]);
  }
  if (action.exitCode !== null) facts.push(['Exit code', String(action.exitCode)]);
  if (action.hasLateResult) facts.push(['Late', 'a result came after the end and changed nothing; see the details']);
  return facts.length === 0 ? null : factsBlock(facts.slice(-12));
}

/** The times of an action, each in the reader's own zone. */
export function timesBlock(action: ActionView): KnownBlock {
  const times: (readonly [string, Date | null])[] = [
    ['Requested', action.requestedAt],
    ['Approved', action.approvedAt],
    ['Rejected', action.rejectedAt],
    ['Started', action.executedAt],
    ['Ended', action.completedAt],
    [action.status === 'pending' ? 'Expires' : 'Must start by', isWaiting(action) ? action.expiresAt : null],
  ];
  return smallPrint(times.flatMap(([label, at]) => (at === null ? [] : [`${label} ${showTime(at)}`])));
}

function isWaiting(action: ActionView): boolean {
  return !isEnded(action.status) && action.status !== 'executing';
}
