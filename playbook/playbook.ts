export const RISKS = ['low', 'medium', 'high', 'critical'] as const;
export type Risk = (typeof RISKS)[number];

/** Every parameter always has a value when it is rendered: it is required, or it has a default. */
interface ParamBase {
  required: boolean;
  description?: string;
}
export interface StringParam extends ParamBase {
  type: 'string';
  /** Matches the whole value, with the `u` flag; see pattern.ts for what it may hold. */
  pattern?: string;
  /** In code points. */
  maxLength: number;
  default?: string;
}
export interface IntegerParam extends ParamBase {
  type: 'integer';
  min?: number;
  max?: number;
  default?: number;
}
export interface BooleanParam extends ParamBase {
  type: 'boolean';
  default?: boolean;
}
export interface EnumParam extends ParamBase {
  type: 'enum';
  values: string[];
  default?: string;
}
export interface PathParam extends ParamBase {
  type: 'path';
  /** Absolute, normalised directories; a value is one of them or lies below one. */
  within: string[];
  default?: string;
}
export type ParamSpec = StringParam | IntegerParam | BooleanParam | EnumParam | PathParam;
export const PARAM_TYPES = ['string', 'integer', 'boolean', 'enum', 'path'] as const;

export type ParamValue = string | number | boolean;
export type ParamValues = Readonly<Record<string, ParamValue>>;

/** Try until it holds: again every `everyMs`, for at most `forMs`. */
export interface Wait {
  forMs: number;
  everyMs: number;
}

export type Step =
  | { kind: 'run'; argv: readonly string[]; wait?: Wait }
  | { kind: 'uses'; uses: string; with: Readonly<Record<string, string>>; wait?: Wait };

/** Tried again, `attempts` times in all, the first one included. */
export interface Retry {
  attempts: number;
  backoffMs: number;
  maxBackoffMs: number;
}

/** A playbook that was read and found right; nothing in it needs to be checked again. */
export interface Playbook {
  name: string;
  title: string;
  description: string;
  risk: Risk;
  params: Readonly<Record<string, ParamSpec>>;
  timeoutMs: number;
  maxTimeoutMs: number;
  isIdempotent: boolean;
  /** Null: tried once. */
  retry: Retry | null;
  steps: readonly Step[];
  verify: readonly Step[];
  rollback: readonly Step[];
  /** `sha256:` and hex, over the document as written. */
  digest: string;
}

/** One mistake in one file; `line` and `column` count from 1. */
export interface PlaybookProblem {
  file: string;
  line: number;
  column: number;
  message: string;
  /** Stable, snake_case. */
  code: string;
}

/** The steps built in, and the keys their `with` needs: each a slot of a path parameter. */
export const BUILT_IN_STEPS: Readonly<Record<string, readonly string[]>> = { 'clear-logs': ['path'] };
