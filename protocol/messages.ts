import {
  anything,
  boolean,
  integer,
  list,
  moment,
  nullable,
  number,
  object,
  oneOf,
  optional,
  read,
  scalars,
  text,
} from './shape.ts';
import type { Reading, Shape, ValueOf } from './shape.ts';
import { MAX_COMMAND_KEYS, MAX_KEY_CHANGES, MAX_RETIRED_KEYS, MAX_WAIT_S } from './limits.ts';
import { isSoundPublicKey } from './public-key-point.ts';

/**
 * The messages between agent and control plane, protocol 1. Known fields are checked strictly, unknown ones are
 * ignored, so that either side may grow first. Names are those of the wire.
 */

const identifier = text({
  max: 128,
  pattern: /^[A-Za-z0-9][A-Za-z0-9._:-]*$/,
  is: 'an id of letters, digits and ._:-',
});
const digest = text({ max: 71, pattern: /^sha256:[0-9a-f]{64}$/, is: '"sha256:" and 64 hex digits' });
const playbookName = text({ max: 64, pattern: /^[a-z0-9]+(-[a-z0-9]+)*$/, is: 'a playbook name in kebab-case' });
const word = text({ max: 64, pattern: /^[a-z][a-z0-9_]*$/, is: 'a word in snake_case' });
const protocol = integer({ min: 0, max: 1000 });

const publicKeyFields = {
  kty: oneOf(['OKP']),
  crv: oneOf(['Ed25519']),
  x: soundPoint(text({ max: 43, pattern: /^[A-Za-z0-9_-]{43}$/, is: '32 bytes in base64url' })),
};
const publicKey = withoutPrivatePart(object(publicKeyFields));
const commandKey = withoutPrivatePart(object({ ...publicKeyFields, kid: text({ max: 128 }) }));
const knownPlaybook = object({ name: playbookName, digest });

const enrollRequest = object({
  protocol,
  token: text({ max: 512 }),
  hostname: text({ max: 255 }),
  public_key: publicKey,
  agent_version: text({ max: 64 }),
  os: text({ max: 255 }),
  playbooks: list(knownPlaybook, { max: 1000 }),
});

const keySerial = integer({ min: 0, max: 2 ** 31 - 1 });
const enrolmentFields = {
  server_id: identifier,
  command_keys: list(commandKey, { max: MAX_COMMAND_KEYS }),
  command_keys_serial: optional(keySerial), // missing from older control planes, which have one key for good
  heartbeat_interval_s: number({ min: 0.05, max: 3600 }),
  max_wait_s: number({ min: 0, max: MAX_WAIT_S }),
};
const enrollResponse = object(enrolmentFields);
/** What an agent keeps of it: also the keys that sign nothing any more, for the checkpoints that they signed. */
const storedEnrolment = object({
  ...enrolmentFields,
  retired_keys: optional(list(commandKey, { max: MAX_RETIRED_KEYS })),
});

/** The keys whose commands agents accept; of two sets the one with the greater serial counts. */
export const commandKeySet = object({
  serial: keySerial,
  keys: list(commandKey, { max: MAX_COMMAND_KEYS }),
  at: moment(),
});

/** Both signatures are compact JWS over `{ server_id, kid }`: see agent-key-change.ts. */
const nextAgentKey = object({
  public_key: publicKey,
  signed_by_current: text({ max: 2048 }),
  signed_by_next: text({ max: 2048 }),
});

const session = object({ started_at: moment(), beat: integer({ min: 0 }) });

const running = object({
  command_id: identifier,
  started_at: nullable(moment()),
  step: integer({ min: 0, max: 1000 }),
  steps: integer({ min: 0, max: 1000 }),
});

const heartbeatRequest = object({
  protocol,
  session,
  agent_version: text({ max: 64 }),
  boot_id: text({ max: 128 }),
  uptime_s: number({ min: 0 }),
  load: number({ min: 0 }),
  wait_s: number({ min: 0, max: MAX_WAIT_S }),
  halted: optional(boolean()), // what the agent has heard last; missing from older agents
  running: list(running, { max: 16 }),
  results: list(anything(), { max: 1000 }),
  playbooks: optional(list(knownPlaybook, { max: 1000 })),
  command_keys_serial: optional(keySerial), // of the set it has; missing from older agents
  next_key: optional(nextAgentKey),
  journal_damage: optional(object({ found_at: moment(), lines: integer({ min: 0 }) })),
});

const heartbeatResponse = object({
  server_time: moment(),
  paused: boolean(),
  halted: boolean(),
  acked: list(identifier, { max: 1000 }),
  commands: list(text({ max: 64 * 1024 }), { max: 100 }),
  cancel: list(identifier, { max: 1000 }),
  heartbeat_interval_s: number({ min: 0.05, max: 3600 }),
  command_keys: optional(list(commandKey, { max: MAX_COMMAND_KEYS })),
  command_keys_proof: optional(list(text({ max: 16 * 1024 }), { max: MAX_KEY_CHANGES })),
  next_key_kid: optional(text({ max: 128 })),
  checkpoint: optional(text({ max: 4096 })),
});

const commandPayload = object({
  command_id: identifier,
  action_id: identifier,
  attempt: integer({ min: 1 }),
  server_id: identifier,
  playbook: playbookName,
  playbook_digest: digest,
  params: scalars({ max: 100 }),
  dry_run: boolean(),
  timeout_s: number({ min: 0.001, max: 7 * 86_400 }),
  nbf: number({ min: 0 }), // seconds since 1970, as in a JWT
  exp: number({ min: 0 }),
  seq: integer({ min: 1 }),
  approvals: list(object({ by: text({ max: 128 }), at: moment() }), { max: 100 }),
});

export const RESULT_STATUSES = ['completed', 'failed', 'timed_out', 'cancelled', 'refused', 'interrupted'] as const;
const byteCount = integer({ min: 0 });
const stream = text({ min: 0, max: 96 * 1024, mayHoldNul: true }); // 64 KiB kept, the line between, room for U+FFFD

const commandResult = object({
  command_id: identifier,
  attempt: integer({ min: 1 }),
  status: oneOf(RESULT_STATUSES),
  exit_code: nullable(integer({ min: 0, max: 255 })),
  signal: nullable(text({ max: 32, pattern: /^SIG[A-Z0-9+-]+$/, is: 'a signal name like SIGKILL' })),
  started_at: nullable(moment()),
  finished_at: moment(),
  stdout: stream,
  stderr: stream,
  stdout_bytes: byteCount,
  stderr_bytes: byteCount,
  truncated: boolean(),
  stdout_sha256: digest,
  stderr_sha256: digest,
  code: optional(word),
});

export type PublicKey = ValueOf<typeof publicKey>;
export type CommandKey = ValueOf<typeof commandKey>;
export type KnownPlaybook = ValueOf<typeof knownPlaybook>;
export type Session = ValueOf<typeof session>;
export type Running = ValueOf<typeof running>;
export type EnrollRequest = ValueOf<typeof enrollRequest>;
export type EnrollResponse = ValueOf<typeof enrollResponse>;
export type StoredEnrolment = ValueOf<typeof storedEnrolment>;
export type CommandKeySet = ValueOf<typeof commandKeySet>;
export type NextAgentKey = ValueOf<typeof nextAgentKey>;
/** `results` are read one by one with `parseResult`: a malformed one must not spoil the others. */
export type HeartbeatRequest = ValueOf<typeof heartbeatRequest>;
export type HeartbeatResponse = ValueOf<typeof heartbeatResponse>;
export type CommandPayload = ValueOf<typeof commandPayload>;
export type CommandResult = ValueOf<typeof commandResult>;
export type ResultStatus = (typeof RESULT_STATUSES)[number];

export const parseEnrollRequest = (body: unknown): Reading<EnrollRequest> => read(enrollRequest, body);
export const parseEnrollResponse = (body: unknown): Reading<EnrollResponse> => read(enrollResponse, body);
export const parseStoredEnrolment = (value: unknown): Reading<StoredEnrolment> => read(storedEnrolment, value);
export const parseHeartbeatRequest = (body: unknown): Reading<HeartbeatRequest> => read(heartbeatRequest, body);
export const parseHeartbeatResponse = (body: unknown): Reading<HeartbeatResponse> => read(heartbeatResponse, body);
export const parseCommandPayload = (body: unknown): Reading<CommandPayload> => read(commandPayload, body);
export const parseResult = (body: unknown): Reading<CommandResult> => read(commandResult, body);
export const parseSession = (body: unknown): Reading<Session> => read(session, body);
/** Also those that are retired. */
export const parseCommandKeys = (value: unknown): Reading<CommandKey[]> =>
  read(list(commandKey, { max: MAX_COMMAND_KEYS + MAX_RETIRED_KEYS }), value);

/** The protocol a body claims to speak, to answer 426 before judging the rest; undefined where it claims none. */
export function readProtocol(body: unknown): number | undefined {
  const reading = read(object({ protocol }), body);
  return reading.isValid ? reading.value.protocol : undefined;
}

/** The id to acknowledge even a malformed result by; undefined where not even that can be read. */
export function readResultCommandId(body: unknown): string | undefined {
  const reading = read(object({ command_id: identifier }), body);
  return reading.isValid ? reading.value.command_id : undefined;
}

/** Negative where `a` is older than `b`, zero where equal: `started_at` decides, then `beat`. */
export function compareSessions(a: Session, b: Session): number {
  return Date.parse(a.started_at) - Date.parse(b.started_at) || a.beat - b.beat;
}

function soundPoint(shape: Shape<string>): Shape<string> {
  return (value, path, errors) => {
    const x = shape(value, path, errors);
    if (x === undefined || isSoundPublicKey(x)) return x;
    errors.push({ path, message: 'must be a key that only its owner can sign with: make a new one', code: 'weak_key' });
    return undefined;
  };
}

/** A private key that arrives over the network is burnt: tell it instead of ignoring the field. */
function withoutPrivatePart<T>(shape: Shape<T>): Shape<T> {
  return (value, path, errors) => {
    if (typeof value === 'object' && value !== null && 'd' in value) {
      errors.push({ path, message: 'must be a public key, without its private part d', code: 'private_key_sent' });
      return undefined;
    }
    return shape(value, path, errors);
  };
}
