/** pending → approved → executing → completed | failed; also ended by rejected, expired, cancelled. */
export const ACTION_STATUSES = [
  'pending',
  'approved',
  'executing',
  'completed',
  'failed',
  'rejected',
  'expired',
  'cancelled',
] as const;
export type ActionStatus = (typeof ACTION_STATUSES)[number];

/** No transition leaves these. */
export const END_STATES: readonly ActionStatus[] = ['completed', 'failed', 'rejected', 'expired', 'cancelled'];

export function isEnded(status: ActionStatus): boolean {
  return END_STATES.includes(status);
}

/** What was given up on waits (`open`) until somebody asks for it again or says that it is done with. */
export const DEAD_LETTER_STATES = ['open', 'replayed', 'dismissed'] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];

/** Failed, or never started though somebody wanted it to; not what nobody decided. */
export function isGivenUp(end: { status: ActionStatus; failureCode: string | null }): boolean {
  return end.status === 'failed' || (end.status === 'expired' && end.failureCode !== 'approval_timeout');
}

/** What an agent reports as the end of one command (contract §5, Result). */
export const RESULT_STATUSES = ['completed', 'failed', 'timed_out', 'interrupted', 'cancelled', 'refused'] as const;
export type ResultStatus = (typeof RESULT_STATUSES)[number];

/** Refusals that use up neither command id nor `seq`, and do not end the action (contract §5). */
export const PASSING_REFUSALS: readonly string[] = ['bad_signature', 'wrong_server', 'outside_window'];

export interface ActionEnd {
  status: 'completed' | 'failed' | 'cancelled';
  failureCode: string | null;
}

/** The table of contract §5: what a result makes of its action; null where the action goes on. */
export function endOfResult(result: { status: ResultStatus; code?: string | null | undefined }): ActionEnd | null {
  const code = result.code ?? null;
  switch (result.status) {
    case 'completed':
      return { status: 'completed', failureCode: null };
    case 'failed':
      return { status: 'failed', failureCode: 'exit_nonzero' };
    case 'timed_out':
    case 'interrupted':
      return { status: 'failed', failureCode: result.status };
    case 'cancelled':
      return code === 'cancel_unconfirmed'
        ? { status: 'failed', failureCode: code }
        : { status: 'cancelled', failureCode: code };
    case 'refused':
      return code !== null && PASSING_REFUSALS.includes(code)
        ? null
        : { status: 'failed', failureCode: code ?? 'refused' };
  }
}
