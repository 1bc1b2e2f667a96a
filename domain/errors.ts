/** One thing that is wrong with one field of what somebody sent. `path` is dotted: `params.service`. */
export interface FieldError {
  path: string;
  message: string;
  code: string;
}

export interface MedicErrorOptions {
  /** Stable, snake_case; people's scripts switch on it. */
  code: string;
  cause?: unknown;
  fields?: readonly FieldError[];
  /** Extra facts for the answer, e.g. `{ server_time }`. Never secrets. */
  details?: Readonly<Record<string, unknown>>;
}

/**
 * "Cannot go on." The message is one sentence for the person who caused it: what is wrong, where, what would be
 * right. Each edge translates it once; it knows nothing of HTTP, Slack or Temporal.
 */
export abstract class MedicError extends Error {
  readonly code: string;
  readonly fields: readonly FieldError[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: MedicErrorOptions) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.fields = options.fields ?? [];
    this.details = options.details ?? {};
  }
}

/** What was sent is wrong; sending it again unchanged fails again. */
export class InvalidInputError extends MedicError {}
/** We do not know who is asking. */
export class UnauthenticatedError extends MedicError {}
/** We know who is asking, and they may not. */
export class NotAllowedError extends MedicError {}
/** The thing that was named does not exist. */
export class NotFoundError extends MedicError {}
/** The present state forbids it; `details` says which state. */
export class ConflictError extends MedicError {}
/** Somebody asks too often. `details.retry_after_s` says when to come back. */
export class TooManyRequestsError extends MedicError {}
/** Something we depend on is away; the same call may work later. Nothing was changed. */
export class UnavailableError extends MedicError {}
/** A configuration, file or environment that Medic cannot start with. */
export class ConfigurationError extends MedicError {}

/**
 * For exit codes: what was typed is wrong, or a setting that the command cannot do without is not set.
 */
export function isWrongUse(error: unknown): boolean {
  if (error instanceof InvalidInputError) return true;
  return error instanceof ConfigurationError && error.code === 'missing_setting';
}
