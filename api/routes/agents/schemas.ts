import * as z from 'zod';
import { RESULT_STATUSES } from '../../../protocol/messages.ts';

/*
 * For the description of the API only: protocol/messages.ts, which agents use too, checks these messages. Unknown
 * fields are ignored, so that either side may grow first.
 */

const playbooks = z.array(z.object({ name: z.string(), digest: z.string() }));
const jwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() });
const commandKeys = z.array(jwk.extend({ kid: z.string() }));

export const enrollBody = z.looseObject({
  protocol: z.literal(1),
  token: z.string(),
  hostname: z.string(),
  public_key: jwk,
  agent_version: z.string(),
  os: z.string(),
  playbooks,
});

export const enrollJson = z.object({
  server_id: z.string(),
  command_keys: commandKeys,
  command_keys_serial: z.number().int().optional(),
  heartbeat_interval_s: z.number(),
  max_wait_s: z.number(),
});

const result = z.looseObject({
  command_id: z.string(),
  attempt: z.number().int(),
  status: z.enum(RESULT_STATUSES),
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime(),
  stdout: z.string(),
  stderr: z.string(),
  stdout_bytes: z.number().int(),
  stderr_bytes: z.number().int(),
  truncated: z.boolean(),
  stdout_sha256: z.string(),
  stderr_sha256: z.string(),
  code: z.string().optional(),
});

export const heartbeatBody = z.looseObject({
  protocol: z.literal(1),
  session: z.object({ started_at: z.iso.datetime(), beat: z.number().int() }),
  agent_version: z.string(),
  boot_id: z.string(),
  uptime_s: z.number(),
  load: z.number(),
  wait_s: z.number(),
  running: z.array(
    z.object({
      command_id: z.string(),
      started_at: z.iso.datetime().nullable(),
      step: z.number().int(),
      steps: z.number().int(),
    }),
  ),
  results: z.array(result),
  playbooks: playbooks.optional(),
  command_keys_serial: z.number().int().optional().describe('Of the command keys that it has.'),
  next_key: z
    .looseObject({ public_key: jwk, signed_by_current: z.string(), signed_by_next: z.string() })
    .optional()
    .describe('The key that it is to have next.'),
});

export const heartbeatJson = z.object({
  server_time: z.iso.datetime(),
  paused: z.boolean(),
  halted: z.boolean(),
  acked: z.array(z.string()),
  commands: z.array(z.string()).describe('Compact JWS each, typ medic-command.'),
  cancel: z.array(z.string()),
  heartbeat_interval_s: z.number(),
  command_keys: commandKeys.optional(),
  command_keys_proof: z
    .array(z.string())
    .optional()
    .describe('Compact JWS each, typ medic-command-keys, signed with a key of the set before.'),
  next_key_kid: z.string().optional().describe('The next key that it may call with from now on.'),
  checkpoint: z.string().optional().describe('Compact JWS, typ medic-checkpoint.'),
});
