import type { KnownBlock } from '@slack/types';
import { writeBatchLine } from '../../domain/batch-line.ts';
import { haltCode } from '../../domain/halt.ts';
import { describeHold } from '../../domain/limits.ts';
import { describeFailure } from '../../domain/outcome-words.ts';
import { nameActor } from '../../domain/principal.ts';
import { writeTime } from '../../domain/sentence.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { Fact } from './facts.ts';
import { haltFact } from './facts.ts';
import { shortId } from './names.ts';
import { factsBlock } from './parts.ts';
import { cut, toLine } from './text.ts';

const MAX_ROW = 190; // 50 rows and the rest stay below about 13,200 characters
const MAX_NAME = 20;
const MAX_REASON = 40;
const MAX_FAILURE = 80;
const MAX_HOLD = 100;
const MAX_PAUSES = 3; // different ones; each line names who paused its own server
const MAX_PAUSE = 100;
const MAX_HALTS = 3; // different ones; each line says whether its own action is halted

/** What is decided on a batch: what still waits for a person. */
export function isWaiting(action: ActionView): boolean {
  return action.status === 'pending' && action.approvalsRequired > 0;
}

export function wordOf(action: ActionView): string {
  switch (action.status) {
    case 'pending':
      return isWaiting(action) ? 'waiting for approval' : 'waiting';
    case 'approved':
      return action.handedOutAt === null ? 'approved and waiting to start' : 'approved and handed out';
    case 'executing':
      if (action.nextAttemptAt !== null) return `to be tried again (${action.attempt} of ${action.maxAttempts})`;
      return action.unknownSince === null ? 'running' : 'not heard of';
    default:
      return action.status;
  }
}

/** `web-1, service=nginx for ana: running, step 2 of 3 (1a2b3c4d)` */
export function describeRow(action: ActionView): string {
  const by = action.rejectedBy ?? action.cancelledBy ?? (action.approvedBy === 'auto' ? null : action.approvedBy);
  const who = `for ${shortName(action.requestedBy)}${by === null ? '' : `, by ${shortName(nameActor(by))}`}`;
  const reason = action.reason === null ? '' : `, “${toLine(action.reason, MAX_REASON)}”`;
  const what = `${toLine(writeBatchLine(action), 90)}${action.dryRun ? ' (dry run)' : ''}`;
  return cut(`${what} ${who}: ${describeStanding(action)} (${shortId(action.id)})${reason}`, MAX_ROW);
}

/** Its state, with what holds it up, how far it has come or how it ended. */
function describeStanding(action: ActionView): string {
  const word = wordOf(action);
  const { status, failureCode, exitCode, queuedBehind, heldBy, progress, halt, unknownSince } = action;
  if (unknownSince !== null) return `${word}, unknown since ${writeTime(unknownSince)}`;
  if (halt !== null && status !== 'executing') return `${word}, ${haltCode(halt)} by ${shortName(halt.declaredBy)}`;
  if (status === 'pending' && action.isServerPaused) return `${word}, server paused by ${shortName(action.pausedBy)}`;
  if (status === 'approved' && queuedBehind !== null) return `approved, ${describeQueue(queuedBehind)}`;
  if (status === 'approved' && heldBy !== null) return `approved, waits ${toLine(describeHold(heldBy), MAX_HOLD)}`;
  if (status === 'executing' && progress !== null) return `${word}, step ${progress.step} of ${progress.steps}`;
  const failure = failureCode === 'exit_nonzero' || status === 'rejected' ? null : describeFailure(action);
  const why = failure === null ? '' : `, ${toLine(failure, MAX_FAILURE)}`;
  return `${word}${why}${exitCode === null ? '' : `, exit code ${exitCode}`}`;
}

/** `behind clear-logs (1a2b3c4d), 3 in all` */
function describeQueue({ id, playbook, ahead }: NonNullable<ActionView['queuedBehind']>): string {
  return `behind ${shortName(playbook)} (${shortId(id)})${ahead > 1 ? `, ${ahead} in all` : ''}`;
}

/** What stands still, by whom, why and until when. */
export function drawHalts(actions: readonly ActionView[]): KnownBlock[] {
  const halts = new Map(actions.flatMap(({ halt }) => (halt === null ? [] : [[halt.id, halt] as const])));
  if (halts.size === 0) return [];
  const max = { name: MAX_NAME, reason: MAX_PAUSE };
  const left = halts.size - MAX_HALTS;
  const more: Fact[] = left > 0 ? [['Halted too', `${left} more; the lines name who halted them`]] : [];
  return [factsBlock([...[...halts.values()].slice(0, MAX_HALTS).map((halt) => haltFact(halt, max)), ...more])];
}

/** Which servers are paused, by whom, why and until when; those that are paused alike are told together. */
export function drawPauses(actions: readonly ActionView[]): KnownBlock[] {
  const pauses = new Map<string, { first: ActionView; servers: Set<string> }>();
  for (const action of actions) {
    if (!action.isServerPaused || (action.status !== 'pending' && action.status !== 'approved')) continue;
    const key = JSON.stringify([action.pausedBy, action.pauseReason, action.pausedUntil]);
    const pause = pauses.get(key) ?? { first: action, servers: new Set() };
    pauses.set(key, pause);
    pause.servers.add(action.server);
  }
  if (pauses.size === 0) return [];
  const left = pauses.size - MAX_PAUSES;
  const more: Fact[] = left > 0 ? [['Paused too', `${left} more; the lines name who paused them`]] : [];
  return [factsBlock([...[...pauses.values()].slice(0, MAX_PAUSES).map(describePause), ...more])];
}

function describePause({ first, servers }: { first: ActionView; servers: ReadonlySet<string> }): Fact {
  const why = first.pauseReason === null ? '' : `, “${toLine(first.pauseReason, MAX_PAUSE)}”`;
  const until = first.pausedUntil === null ? [', until somebody unpauses it'] : [', until ', first.pausedUntil];
  return ['Paused', `${toLine([...servers].join(', '), MAX_PAUSE)} by ${shortName(first.pausedBy)}${why}`, ...until];
}

function shortName(name: string | null): string {
  return toLine(name ?? 'somebody', MAX_NAME);
}
