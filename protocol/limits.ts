/** The version this code speaks. The control plane also accepts the one before, once there is one. */
export const PROTOCOL_VERSION = 1;
export const SUPPORTED_PROTOCOLS: readonly number[] = [1];

export const MAX_WAIT_S = 25; // under the 30 s after which common proxies cut an idle request
export const DEFAULT_HEARTBEAT_INTERVAL_S = 60;
export const CLOCK_TOLERANCE_S = 60; // clocks may differ by this much before anybody complains
export const MAX_SESSION_AHEAD_S = 86_400; // a clock that was set back by a day leaves a session that far ahead
export const MAX_TOKEN_LIFE_S = 600; // an agent's token, from iat to exp
export const MAX_COMMAND_LIFE_S = 60; // a command's exp, counted from its hand-out

export const MAX_COMMAND_KEYS = 16; // that agents accept at once; two are enough for a change
export const MAX_RETIRED_KEYS = 240; // that an agent keeps for its old checkpoints, and an auditor may be given
export const MAX_KEY_CHANGES = 64; // in one answer; who missed more hears the rest with the next

export const MAX_HEARTBEAT_BYTES = 1024 * 1024;
export const MAX_BODY_BYTES = 64 * 1024; // any body but a heartbeat
export const MAX_RESULTS_BYTES = 900 * 1024; // leaves room for the rest of a heartbeat
export const MAX_STREAM_HEAD_BYTES = 32 * 1024;
export const MAX_STREAM_TAIL_BYTES = 32 * 1024;

/** The refusals that use up neither the command's id nor its `seq`, and do not end the action. */
export const HARMLESS_REFUSALS: readonly string[] = ['bad_signature', 'wrong_server', 'outside_window'];
