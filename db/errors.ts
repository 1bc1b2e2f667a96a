/** The database's guards, by the name of the constraint that speaks; the code is what people's scripts see. */
const GUARDS = {
  action_begins_pending: 'action_begins_pending',
  action_ended: 'action_ended',
  action_transition: 'illegal_transition',
  action_approvals: 'approvals_missing',
  action_request_fixed: 'request_fixed',
  action_attempt: 'attempt_refused',
  actions_completed_needs_exit_code: 'exit_code_missing',
  actions_request_key_unique: 'already_requested',
  actions_replay_of_unique: 'already_replayed',
  decisions_one_per_person: 'already_decided',
  decision_fixed: 'decision_fixed',
  commands_one_at_a_time: 'command_outstanding',
  commands_one_per_attempt: 'attempt_handed_out',
  command_needs_approval: 'action_not_approved',
  command_attempt: 'attempt_not_owed',
  command_halted: 'halted',
  halt_fixed: 'halt_fixed',
  results_one_per_command: 'already_reported',
  audit_append_only: 'audit_append_only',
  audit_chain: 'audit_chain',
} as const;

export type GuardCode = (typeof GUARDS)[keyof typeof GUARDS];

/** The code of the guard that refused, or null where the error is something else. Looks through what wraps it. */
export function isGuardViolation(error: unknown): GuardCode | null {
  const constraint = readText(error, 'constraint');
  if (constraint !== null && Object.hasOwn(GUARDS, constraint)) {
    return GUARDS[constraint as keyof typeof GUARDS];
  }
  return error instanceof Error && error.cause !== undefined ? isGuardViolation(error.cause) : null;
}

const AWAY_CODES = /^(08|53|25P03$|57P0[123]$|E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NOTFOUND|AI_AGAIN)$)/;
const AWAY_MESSAGES =
  /Connection terminated|connection error and is not queryable|timeout exceeded when trying to connect/;

/**
 * The database cannot be reached, shuts down, has no room for rows or connections left, or took the transaction of a
 * process that slept in it: the same call may work later. Whether it committed is unknown.
 */
export function isDatabaseAway(error: unknown): boolean {
  if (AWAY_CODES.test(readText(error, 'code') ?? '')) {
    return true;
  }
  if (error instanceof AggregateError) {
    return error.errors.some(isDatabaseAway);
  }
  if (!(error instanceof Error)) {
    return false;
  }
  return AWAY_MESSAGES.test(error.message) || (error.cause !== undefined && isDatabaseAway(error.cause));
}

function readText(error: unknown, key: 'constraint' | 'code'): string | null {
  const value = typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[key] : null;
  return typeof value === 'string' ? value : null;
}
