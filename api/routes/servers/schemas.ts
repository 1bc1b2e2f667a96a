import * as z from 'zod';
import { HALT_SCOPES } from '../../../domain/halt.ts';
import type { ServerView } from '../../../services/servers/server-view.ts';
import { textOrNull, time, timeOrNull, toTime } from '../../schemas.ts';

export const serverId = z.strictObject({ id: z.string().max(128).describe('Its id or its name.') });

export const pauseBody = z.strictObject({
  reason: z.string(),
  until: z.iso.datetime({ offset: true }).optional().describe('Unpauses by itself then.'),
});
export const unpauseBody = z.strictObject({});
export const revokeBody = z.strictObject({ reason: z.string() });
export const enrollmentBody = z.strictObject({
  server_name: z.string(),
  tags: z.array(z.string()).optional(),
  ttl_s: z.number().optional().describe('Seconds until it expires; an hour where it is missing.'),
});
export const enrollmentJson = z.object({
  token: z.string().optional().describe('Shown once; missing in the answer to a repeat.'),
  expires_at: time,
});

export const serverJson = z.object({
  id: z.string(),
  name: z.string(),
  tags: z.array(z.string()),
  status: z.enum(['online', 'offline', 'never_seen']),
  last_seen_at: timeOrNull,
  paused: z.boolean(),
  paused_by: textOrNull,
  paused_at: timeOrNull,
  pause_reason: textOrNull,
  paused_until: timeOrNull,
  halt: z
    .object({
      id: z.string(),
      scope: z.enum(HALT_SCOPES),
      declared_by: z.string(),
      reason: z.string(),
      until: timeOrNull,
    })
    .nullable()
    .describe('While it stands nothing at all starts on this server.'),
  agent_version: textOrNull,
  journal_damaged_at: timeOrNull.describe('When its agent last found its journal damaged, since it was enrolled.'),
  journal_damaged_lines: z.number().int().nullable().describe('How many lines of it cannot be read.'),
  revoked_at: timeOrNull.describe('Since then its agent is let in no more.'),
  playbooks: z.array(
    z.object({
      name: z.string(),
      digest: z.string(),
      known: z.boolean().describe('The control plane holds the same one.'),
    }),
  ),
  running: z.array(
    z.object({ command_id: z.string(), started_at: textOrNull, step: z.number().int(), steps: z.number().int() }),
  ),
  queued: z.number().int().describe('Approved actions that wait for this server.'),
});

function toHaltJson({ id, scope, declaredBy, reason, until }: NonNullable<ServerView['halt']>) {
  return { id: String(id), scope, declared_by: declaredBy, reason, until: toTime(until) };
}

export function toServerJson(view: ServerView): z.infer<typeof serverJson> {
  return {
    id: view.id,
    name: view.name,
    tags: view.tags,
    status: view.status,
    last_seen_at: toTime(view.lastSeenAt),
    paused: view.paused,
    paused_by: view.pausedBy,
    paused_at: toTime(view.pausedAt),
    pause_reason: view.pauseReason,
    paused_until: toTime(view.pausedUntil),
    halt: view.halt === null ? null : toHaltJson(view.halt),
    agent_version: view.agentVersion,
    journal_damaged_at: toTime(view.journalDamagedAt),
    journal_damaged_lines: view.journalDamagedLines,
    revoked_at: toTime(view.revokedAt),
    playbooks: view.playbooks,
    running: view.running.map(({ commandId, startedAt, step, steps }) => ({
      command_id: commandId,
      started_at: startedAt,
      step,
      steps,
    })),
    queued: view.queued,
  };
}
