/** The channel that something was done through. */
export type Via = 'slack' | 'api' | 'cli' | 'page' | 'agent' | 'workflow' | 'webhook';

/** `<resource>.<past verb>`; what each tells stands in docs/contract.md, section 8. */
export type AuditEventName =
  | 'action.requested'
  | 'action.approved'
  | 'action.approval_added'
  | 'action.break_glass'
  | 'action.rejected'
  | 'action.expired'
  | 'action.escalated'
  | 'action.cancelled'
  | 'action.cancel_requested'
  | 'action.started'
  | 'action.attempt_failed'
  | 'action.completed'
  | 'action.failed'
  | 'action.replayed'
  | 'action.dismissed'
  | 'command_key.added'
  | 'command_key.retired'
  | 'command.issued'
  | 'command.refused'
  | 'command.late_result'
  | 'decision.refused'
  | 'halt.declared'
  | 'halt.lifted'
  | 'server.enrolled'
  | 'server.journal_damaged'
  | 'server.playbook_held_back'
  | 'server.playbook_released'
  | 'server.key_announced'
  | 'server.key_changed'
  | 'server.paused'
  | 'server.unpaused'
  | 'server.revoked'
  | 'principal.totp_enrolled'
  | 'principal.totp_locked'
  | 'token.created'
  | 'token.revoked'
  | 'config.loaded';

/** What the event is about, e.g. `{ type: 'action', id }`. */
export interface AuditSubject {
  type: string;
  id: string;
}

/** What somebody wants appended. `actor` is a principal, a server's id, `auto`, `system` or `unknown`. */
export interface AuditInput {
  actor: string;
  via: Via;
  event: AuditEventName;
  subject: AuditSubject;
  /** Never output and never secrets; digests of output and the reasons people gave. */
  data?: Record<string, unknown>;
}

/** One line of the log. `hash` is the SHA-256 of the RFC 8785 form of the object without `hash`. */
export interface AuditEvent extends Required<AuditInput> {
  seq: number;
  /** ISO 8601, UTC, milliseconds. */
  at: string;
  /** `hash` of the line before; GENESIS_HASH for the first. */
  prev: string;
  hash: string;
}

export const GENESIS_HASH = `sha256:${'0'.repeat(64)}`;
