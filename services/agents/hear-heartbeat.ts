import { tellChannel, tellSlack } from '../../db/announce.ts';
import type { Tx } from '../../db/orm.ts';
import type { CommandRow } from '../../db/repositories/command.repository.ts';
import { findCommandById, updateCommand } from '../../db/repositories/command.repository.ts';
import { updateServer } from '../../db/repositories/server.repository.ts';
import { toJson } from '../../db/tables.ts';
import type { Row } from '../../db/tables.ts';
import { ConflictError, InvalidInputError } from '../../domain/errors.ts';
import { MAX_SESSION_AHEAD_S } from '../../protocol/limits.ts';
import type { HeartbeatRequest, Running } from '../../protocol/messages.ts';
import { compareSessions } from '../../protocol/messages.ts';
import type { Context } from '../context.ts';
import { lockEnrolledServer } from './lock-enrolled-server.ts';
import { hearNextKey, takeNextKeyIntoUse } from './change-agent-key.ts';
import { takeResults } from './take-results.ts';

export interface Heard {
  acked: string[];
  facts: { kind: 'executing' | 'result'; actionId: string; commandId: string }[];
  /** Of the next key that it announced and may call with from now on. */
  nextKid: string | null;
}

/** Who says it, and what. */
export interface Speaker {
  serverId: string;
  /** Of the key that its token was signed with; undefined where somebody else vouches for the server. */
  kid: string | undefined;
  request: HeartbeatRequest;
}

/**
 * Takes over what the agent says: session, running commands, results. Throws ConflictError `stale_heartbeat`,
 * InvalidInputError `session_in_future`.
 */
export async function hearHeartbeat(ctx: Context, tx: Tx, { serverId, kid, request }: Speaker): Promise<Heard> {
  const server = await lockEnrolledServer(tx, { serverId, kid });
  refuseFuture(request);
  refuseStale(server, request);
  await updateServer(tx, serverId, {
    last_seen_at: new Date(),
    agent_version: request.agent_version,
    protocol: request.protocol,
    session_started_at: new Date(request.session.started_at),
    session_beat: request.session.beat,
    boot_id: request.boot_id,
    uptime_s: request.uptime_s,
    load: request.load,
    running: toJson(request.running),
    ...(request.playbooks === undefined ? {} : { playbooks: toJson(request.playbooks) }),
  });
  if (isNewSession(server, request)) await hearDamage(tx, { server, request });
  await takeNextKeyIntoUse(tx, { serverId, kid });
  const nextKid = await hearNextKey(ctx, tx, { serverId, announced: request.next_key });
  const { acked, adoptable } = await takeResults(ctx, tx, { serverId, results: request.results });
  const facts: Heard['facts'] = adoptable.map((fact) => ({ kind: 'result', ...fact }));
  for (const running of request.running) {
    const command = await findCommandById(tx, running.command_id);
    if (command?.server_id !== serverId || command.state === 'ended') continue;
    if (await hearRunning(tx, { command, running })) {
      facts.push({ kind: 'executing', actionId: command.action_id, commandId: command.id });
    }
  }
  return { acked, facts, nextKid };
}

/**
 * An agent looks for damage before it opens a session, so told again in the same one it is the same damage; so is what
 * was found at the same time, where the answer that took it was lost and the agent started again.
 */
async function hearDamage(
  tx: Tx,
  { server, request }: { server: Row<'servers'>; request: HeartbeatRequest },
): Promise<void> {
  const { journal_damage: damage } = request;
  if (damage === undefined || server.journal_damaged_at?.getTime() === Date.parse(damage.found_at)) return;
  const { found_at: foundAt, lines } = damage;
  await updateServer(tx, server.id, { journal_damaged_at: new Date(foundAt), journal_damaged_lines: lines });
  tx.audit({
    actor: server.id,
    via: 'agent',
    event: 'server.journal_damaged',
    subject: { type: 'server', id: server.id },
    data: damage,
  });
  const heardAt = new Date().toISOString();
  await tellChannel(tx, { topic: 'journal_damage', server: server.name, ...damage, heard_at: heardAt });
}

function isNewSession({ session_started_at: known }: Row<'servers'>, { session }: HeartbeatRequest): boolean {
  return known?.getTime() !== Date.parse(session.started_at);
}

/** True where it is news that the agent holds the command. The card is owed anew when a step begins. */
async function hearRunning(tx: Tx, { command, running }: { command: CommandRow; running: Running }): Promise<boolean> {
  const { started_at: startedAt, steps } = running;
  const step = Math.min(running.step, steps);
  const isNews = command.state === 'handed_out';
  const isStartNews = startedAt !== null && command.started_at === null;
  const isStepNews = command.step !== step || command.steps !== steps;
  if (!isNews && !isStartNews && !isStepNews) return false;
  await updateCommand(tx, command.id, {
    state: 'running',
    started_at: command.started_at ?? (startedAt === null ? null : new Date(startedAt)),
    step,
    steps,
  });
  if (isStepNews && !isNews) await tellSlack(tx, { actionId: command.action_id });
  return isNews;
}

/** Whether a newer heartbeat of this server was heard than this one. */
export function isSupersededBy(
  server: Pick<Row<'servers'>, 'session_started_at' | 'session_beat'>,
  { session }: HeartbeatRequest,
): boolean {
  const { session_started_at: startedAt, session_beat: beat } = server;
  return compareSessions({ started_at: startedAt?.toISOString() ?? '', beat: beat ?? 0 }, session) > 0;
}

/** No session could follow one at the end of time: a wrong clock, or a stolen key, would shut the server out for ever. */
function refuseFuture(request: HeartbeatRequest): void {
  if (!isFarAhead(new Date(request.session.started_at))) return;
  const message = `session.started_at is more than ${MAX_SESSION_AHEAD_S / 3600} hours ahead: begin a new session now.`;
  throw new InvalidInputError(message, {
    code: 'session_in_future',
    fields: [{ path: 'session.started_at', code: 'session_in_future', message }],
    details: { server_time: new Date().toISOString() },
  });
}

function isFarAhead(startedAt: Date): boolean {
  return startedAt.getTime() > Date.now() + MAX_SESSION_AHEAD_S * 1000;
}

/**
 * A session not newer than the last one seen is an old heartbeat played again. One that was taken before far sessions
 * were refused counts as none.
 */
function refuseStale(server: Row<'servers'>, request: HeartbeatRequest): void {
  const { session_started_at: startedAt, session_beat: beat } = server;
  if (startedAt === null || beat === null || isFarAhead(startedAt)) return;
  const last = { started_at: startedAt.toISOString(), beat };
  if (compareSessions(request.session, last) > 0) return;
  throw new ConflictError('This heartbeat is not newer than the last one seen.', {
    code: 'stale_heartbeat',
    details: { last },
  });
}
