import { randomUUID } from 'node:crypto';
import type { Tx } from '../../db/orm.ts';
import {
  findAnyKey,
  insertNextKey,
  listKeysOfServer,
  promoteNextKey,
} from '../../db/repositories/server.repository.ts';
import { toJson } from '../../db/tables.ts';
import { isNextKeyVouchedFor } from '../../protocol/agent-key-change.ts';
import { computeKeyId } from '../../protocol/keys.ts';
import type { NextAgentKey, PublicKey } from '../../protocol/messages.ts';
import type { Context } from '../context.ts';

/*
 * An agent changes its key without a gap: it announces the next one with the one in use, may call with either once that
 * is answered, and its first call with the next one ends the other.
 */

/** The first heartbeat with the next key: from now on it is the one in use. The server must be locked. */
export async function takeNextKeyIntoUse(
  tx: Tx,
  speaker: { serverId: string; kid: string | undefined },
): Promise<void> {
  const { serverId, kid } = speaker;
  const keys = await listKeysOfServer(tx, serverId);
  const next = keys.find((key) => key.is_next && key.kid === kid);
  if (next === undefined) return;
  const former = keys.find((key) => !key.is_next);
  await promoteNextKey(tx, { serverId, kid: next.kid, now: new Date() });
  tx.audit({
    actor: serverId,
    via: 'agent',
    event: 'server.key_changed',
    subject: { type: 'server', id: serverId },
    data: { kid: next.kid, former_kid: former?.kid ?? null },
  });
}

/**
 * Takes up the key that the agent is to have next; answers its id once it may be used. Null where none was announced, or
 * one that nothing vouches for: that is logged, and the agent goes on with the key it has. The server must be locked.
 */
export async function hearNextKey(
  ctx: Context,
  tx: Tx,
  { serverId, announced }: { serverId: string; announced: NextAgentKey | undefined },
): Promise<string | null> {
  if (announced === undefined) return null;
  const kid = await computeKeyId(announced.public_key);
  const keys = await listKeysOfServer(tx, serverId);
  if (keys.some((key) => key.kid === kid)) return kid; // announced before, and the answer was lost
  const current = keys.find((key) => !key.is_next);
  const isSound =
    current !== undefined &&
    (await isNextKeyVouchedFor({ serverId, current: current.public_key as PublicKey, announced })) &&
    (await findAnyKey(tx, kid)) === null; // one that was used before is not used again
  if (!isSound) {
    ctx.log.warn(
      { serverId, kid },
      'an agent announced a key that its own does not vouch for, or that was used before',
    );
    return null;
  }
  const key = { id: randomUUID(), server_id: serverId, kid, public_key: toJson(announced.public_key) };
  await insertNextKey(tx, { ...key, enrolled_at: current.enrolled_at }, new Date());
  tx.audit({
    actor: serverId,
    via: 'agent',
    event: 'server.key_announced',
    subject: { type: 'server', id: serverId },
    data: { kid, vouched_by: current.kid },
  });
  return kid;
}
