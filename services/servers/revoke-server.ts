import { randomUUID } from 'node:crypto';
import { tellServerCards, WAKE_CHANNEL } from '../../db/announce.ts';
import type { Tx } from '../../db/orm.ts';
import { transact } from '../../db/orm.ts';
import { recordDecisions } from '../../db/repositories/decision.repository.ts';
import { listUncancelled } from '../../db/repositories/queue.repository.ts';
import { lockServer, revokeAgentKeys, updateServer } from '../../db/repositories/server.repository.ts';
import type { ServerRow } from '../../db/repositories/server.repository.ts';
import { voidEnrollmentTokens } from '../../db/repositories/token.repository.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { readReason } from '../actions/reason.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import type { Voided } from '../halts/void-queued.ts';
import { submitVoided } from '../halts/void-queued.ts';
import { findServerOrThrow, viewServer } from './read-servers.ts';
import type { ServerView } from './server-view.ts';

/**
 * From its commit on the server's agent is let in no more: a heartbeat that is held is answered with 403, so it starts
 * nothing again. Its keys and the enrolment tokens that were made for it are void. What has not ended there is cancelled
 * (`server_revoked`), recorded in the same transaction; what its agent runs cannot be told any more, and ends as lost.
 * An enrolment with a new token lets it in again. One that is revoked stays as it is.
 *
 * Throws NotAllowedError `role_missing`; NotFoundError `server_not_found`; InvalidInputError `reason_missing`,
 * `reason_too_long`.
 */
export async function revokeServer(
  ctx: Context,
  asker: Asker,
  input: { server: string; reason: string },
): Promise<ServerView> {
  authorise(asker, 'servers.enroll');
  const reason = readReason(input.reason);
  if (reason === null) throw reasonMissing();
  const found = await findServerOrThrow(ctx.database, input.server);
  const { row, voided } = await transact(ctx.database, 'server.revoke', async (tx) => {
    const server = (await lockServer(tx, found.id)) ?? found;
    if (server.revoked_at !== null) return { row: server, voided: [] };
    return endServer(tx, { server, asker, reason });
  });
  void submitVoided(ctx, voided); // never throws, and the pump is behind it
  return viewServer(ctx, row);
}

/** The server must be locked. */
async function endServer(
  tx: Tx,
  { server, asker, reason }: { server: ServerRow; asker: Asker; reason: string },
): Promise<{ row: ServerRow; voided: Voided[] }> {
  const { id, name } = server;
  const now = new Date();
  await revokeAgentKeys(tx, id, now);
  await voidEnrollmentTokens(tx, { serverName: name, now });
  const row = (await updateServer(tx, id, { revoked_at: now })) ?? server;
  const voided = (await listUncancelled(tx, id)).map((actionId) => ({ actionId, decisionId: randomUUID() }));
  const by = { principal: asker.principal.name, via: asker.via, reason, code: 'server_revoked' };
  await recordDecisions(
    tx,
    voided.map(({ actionId, decisionId }) => ({ id: decisionId, action_id: actionId, kind: 'cancel', ...by })),
  );
  tx.audit({
    actor: asker.principal.name,
    via: asker.via,
    event: 'server.revoked',
    subject: { type: 'server', id },
    data: { name, reason, cancelled: voided.length },
  });
  await tellServerCards(tx, id);
  tx.notify(WAKE_CHANNEL, id);
  return { row, voided };
}

function reasonMissing(): InvalidInputError {
  const message = 'Revoking a server needs a reason, for those who find it.';
  const code = 'reason_missing';
  return new InvalidInputError(message, { code, fields: [{ path: 'reason', message, code }] });
}
