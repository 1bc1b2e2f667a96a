import { randomUUID } from 'node:crypto';
import { transact } from '../../db/orm.ts';
import type { Tx } from '../../db/orm.ts';
import { findOutstandingCommand, updateCommand } from '../../db/repositories/command.repository.ts';
import { recordDecision } from '../../db/repositories/decision.repository.ts';
import {
  findServer,
  insertServer,
  lockServer,
  replaceAgentKey,
  updateServer,
} from '../../db/repositories/server.repository.ts';
import { useEnrollmentToken } from '../../db/repositories/token.repository.ts';
import { toJson } from '../../db/tables.ts';
import type { NewRow, Row } from '../../db/tables.ts';
import { ConflictError, UnauthenticatedError } from '../../domain/errors.ts';
import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import { computeKeyId } from '../../protocol/keys.ts';
import { DEFAULT_HEARTBEAT_INTERVAL_S, MAX_WAIT_S } from '../../protocol/limits.ts';
import type { EnrollRequest, EnrollResponse } from '../../protocol/messages.ts';
import { parseEnrollRequest } from '../../protocol/messages.ts';
import { submitDecision } from '../actions/submit-decision.ts';
import type { Context } from '../context.ts';
import { readTrustedKeys } from '../keys/command-keys.ts';
import { hashSecret } from '../tokens/token-secret.ts';
import { checkProtocol, readOrThrow } from './read-message.ts';

/**
 * Trades a one-time token for a place among the servers. A known name keeps its id and `seq`, and its old key is
 * revoked in the same transaction. Throws UnauthenticatedError `invalid_enrollment_token`, the same for unknown, used
 * and expired ones, so that guessing teaches nothing; ConflictError `key_in_use`. Then the token is not used up.
 */
export async function enrollAgent(ctx: Context, body: unknown): Promise<EnrollResponse> {
  checkProtocol(body);
  const request = readOrThrow(parseEnrollRequest(body), 'enrolment');
  const kid = await computeKeyId(request.public_key);
  const { serverId, orphan, trusted } = await transact(ctx.database, 'server.enroll', async (tx) => {
    const token = await useEnrollmentToken(tx, hashSecret(request.token));
    if (token === null) {
      const message = 'The enrolment token is unknown, used or expired: ask for a new one.';
      throw new UnauthenticatedError(message, { code: 'invalid_enrollment_token' });
    }
    const { id } = await upsertServer(tx, token, request);
    const key = { id: randomUUID(), server_id: id, kid, public_key: toJson(request.public_key) };
    const isNewKey = await takeKeyIntoUse(tx, key);
    tx.audit({
      actor: id,
      via: 'agent',
      event: 'server.enrolled',
      subject: { type: 'server', id },
      data: { name: token.server_name, kid, agent_version: request.agent_version, enrolled_by: token.created_by },
    });
    const trusted = await readTrustedKeys(ctx.signer, tx);
    return { serverId: id, trusted, orphan: isNewKey ? await recallOutstanding(tx, id) : null };
  });
  if (orphan !== null) void submitInBackground(ctx, orphan);
  return {
    server_id: serverId,
    command_keys: [...trusted.keys],
    ...(trusted.serial === 0 ? {} : { command_keys_serial: trusted.serial }),
    heartbeat_interval_s: DEFAULT_HEARTBEAT_INTERVAL_S,
    max_wait_s: MAX_WAIT_S,
  };
}

/**
 * The server's old key is revoked. An enrolment whose answer was lost comes again with the same key, which is then used
 * on, and false is returned. Throws ConflictError `key_in_use` where the key is another server's: one key, one server.
 */
async function takeKeyIntoUse(tx: Tx, key: NewRow<'agent_keys'>): Promise<boolean> {
  const known = await tx.kysely.selectFrom('agent_keys').selectAll().where('kid', '=', key.kid).executeTakeFirst();
  if (known === undefined) {
    await replaceAgentKey(tx, key, new Date());
    return true;
  }
  if (known.server_id === key.server_id && known.revoked_at === null && !known.is_next) return false;
  const message = 'This key was used before: delete the agent’s folder, so that it makes a new one, and enrol again.';
  throw new ConflictError(message, { code: 'key_in_use' });
}

interface Orphan {
  actionId: string;
  decisionId: string;
}

/**
 * The old agent may have run what was handed out to it, and the new one's journal cannot know: it is never handed out
 * to the new one, and ends as cancelled, or as lost where it was seen running.
 */
async function recallOutstanding(tx: Tx, serverId: string): Promise<Orphan | null> {
  const command = await findOutstandingCommand(tx, serverId);
  if (command === null) return null;
  await updateCommand(tx, command.id, { cancel_requested: true });
  const decision = await recordDecision(tx, {
    id: randomUUID(),
    action_id: command.action_id,
    kind: 'cancel',
    principal: SYSTEM_ACTOR,
    via: 'agent',
    reason: 'The server was enrolled anew while this was handed out to its old agent.',
  });
  return { actionId: command.action_id, decisionId: decision.id };
}

async function submitInBackground(ctx: Context, orphan: Orphan): Promise<void> {
  try {
    await submitDecision(ctx, orphan);
  } catch (error) {
    ctx.log.warn({ err: error, action_id: orphan.actionId }, 'a cancellation was not submitted; the pump will');
  }
}

async function upsertServer(tx: Tx, token: Row<'enrollment_tokens'>, request: EnrollRequest): Promise<Row<'servers'>> {
  const told = {
    agent_version: request.agent_version,
    os: request.os,
    hostname: request.hostname,
    protocol: request.protocol,
    playbooks: toJson(request.playbooks),
    tags: token.tags,
    journal_damaged_at: null, // of a journal that the old agent had
    journal_damaged_lines: null,
    heartbeat_interval_s: DEFAULT_HEARTBEAT_INTERVAL_S,
  };
  const known = await findServer(tx, token.server_name);
  if (known === null) return insertServer(tx, { id: randomUUID(), name: token.server_name, ...told });
  await lockServer(tx, known.id);
  return (await updateServer(tx, known.id, { ...told, revoked_at: null })) ?? known;
}
