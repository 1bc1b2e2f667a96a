import { randomUUID } from 'node:crypto';
import { tellPerson, tellServerCards } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import type { Tx } from '../../db/orm.ts';
import { lockAutoApprovedActions } from '../../db/repositories/attempt.repository.ts';
import { findCommandOfAction } from '../../db/repositories/command.repository.ts';
import { listDecisions, recordDecision } from '../../db/repositories/decision.repository.ts';
import { lockServer, updateServer } from '../../db/repositories/server.repository.ts';
import type { ServerRow } from '../../db/repositories/server.repository.ts';
import type { Row } from '../../db/tables.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { submitDecision } from '../actions/submit-decision.ts';
import { readReason } from '../actions/reason.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { findServerOrThrow, viewServer } from './read-servers.ts';
import type { ServerView } from './server-view.ts';

const LONGEST_PAUSE_MS = 366 * 86_400_000; // beyond a year somebody mistyped the year

/**
 * From now on every action on this server waits for a person, and what `auto` approved here and is not handed out yet
 * ends as cancelled (`server_paused`): recorded in the transaction of the pause, so that nothing slips through, told to
 * its requester in Slack, and carried out by each action's workflow. A paused server may be paused again: reason and
 * end are replaced.
 *
 * Throws NotFoundError `server_not_found`; InvalidInputError `reason_missing`, `reason_too_long`, `invalid_until`.
 */
export async function pauseServer(
  ctx: Context,
  asker: Asker,
  input: { server: string; reason: string; until?: Date | undefined },
): Promise<ServerView> {
  authorise(asker, 'servers.pause');
  const reason = readReason(input.reason);
  if (reason === null) throw invalid('reason', 'reason_missing', 'A pause needs a reason, for those who find it.');
  checkUntil(input.until);
  const { id } = await findServerOrThrow(ctx.database, input.server);
  const { row, decisions } = await transact(ctx.database, 'pause.begin', async (tx) => {
    await lockServer(tx, id);
    const changed = await updateServer(tx, id, {
      paused: true,
      paused_by: asker.principal.name,
      paused_at: new Date(),
      pause_reason: reason,
      paused_until: input.until ?? null,
    });
    tx.audit({
      actor: asker.principal.name,
      via: asker.via,
      event: 'server.paused',
      subject: { type: 'server', id },
      data: { name: changed?.name ?? null, reason, until: input.until?.toISOString() ?? null },
    });
    await tellServerCards(tx, id);
    return {
      row: changed as ServerRow,
      decisions: await recordCancellations(ctx, tx, { server: changed as ServerRow, asker, reason }),
    };
  });
  for (const decision of decisions) void submit(ctx, decision);
  return viewServer(ctx, row);
}

interface Cancellation {
  decisionId: string;
  actionId: string;
}

/** From here on nothing of these is handed out; of what never was, its requester is told in the same transaction. */
async function recordCancellations(
  ctx: Context,
  tx: Tx,
  input: { server: ServerRow; asker: Asker; reason: string },
): Promise<Cancellation[]> {
  const { server } = input;
  const actions = [...(await lockAutoApprovedActions(tx, server.id)), ...(await lockUnattendedPending(tx, server.id))];
  const recorded: Cancellation[] = [];
  for (const action of actions) {
    if (await isCancelledByPause(tx, action.id)) continue; // by an earlier pause, and told
    const decisionId = randomUUID();
    await recordDecision(tx, {
      id: decisionId,
      action_id: action.id,
      kind: 'cancel',
      principal: input.asker.principal.name,
      via: input.asker.via,
      reason: input.reason,
      code: 'server_paused',
      playbook_digest: null,
    });
    if ((await findCommandOfAction(tx, action.id)) === null) await tellRequester(ctx, tx, { action, ...input });
    recorded.push({ decisionId, actionId: action.id });
  }
  return recorded;
}

async function isCancelledByPause(tx: Tx, actionId: string): Promise<boolean> {
  const decisions = await listDecisions(tx, actionId);
  return decisions.some(({ status, code }) => status === 'recorded' && code === 'server_paused');
}

/** In Slack, where the requester has a user id there; everyone else finds it on the action. */
async function tellRequester(
  ctx: Context,
  tx: Tx,
  input: { action: Row<'actions'>; server: ServerRow; asker: Asker; reason: string },
): Promise<void> {
  const { action, server, asker, reason } = input;
  const slackUserId = ctx.config.current().principals.get(action.requested_by)?.slackUserId ?? null;
  if (slackUserId === null) return;
  const text =
    `Your request ${action.playbook} on ${server.name} is cancelled and will not run: ` +
    `${asker.principal.name} paused ${server.name} (${reason}).`;
  await tellPerson(tx, { actionId: action.id, slackUserId, text });
}

/** Requested before the pause, and `auto` is about to approve them. */
function lockUnattendedPending(tx: Tx, serverId: string): Promise<Row<'actions'>[]> {
  return tx.kysely
    .selectFrom('actions')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('status', '=', 'pending')
    .where('approvals_required', '=', 0)
    .orderBy('requested_at')
    .forUpdate()
    .execute();
}

/** The pump submits again what fails here, so a failure is only told. */
async function submit(ctx: Context, decision: Cancellation): Promise<void> {
  try {
    await submitDecision(ctx, decision);
  } catch (error) {
    ctx.log.warn({ err: error, action_id: decision.actionId }, 'a cancellation was not submitted; the pump will');
  }
}

function checkUntil(until: Date | undefined): void {
  if (until === undefined) return;
  const leftMs = until.getTime() - Date.now();
  if (leftMs > 0 && leftMs <= LONGEST_PAUSE_MS) return;
  throw invalid('until', 'invalid_until', 'until must be a time in the future, at most a year ahead.');
}

function invalid(path: string, code: string, message: string): InvalidInputError {
  return new InvalidInputError(message, { code, fields: [{ path, message, code }] });
}
