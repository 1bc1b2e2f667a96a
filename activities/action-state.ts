import type { Row } from '../db/tables.ts';
import type { Database, Tx } from '../db/orm.ts';
import { lockAction } from '../db/repositories/action.repository.ts';
import { findOpenCommand, isToStart } from '../db/repositories/attempt.repository.ts';
import { lockServer } from '../db/repositories/server.repository.ts';
import type { ActionState } from '../workflows/contracts/activities.contract.ts';

export interface ActivityDeps {
  database: Database;
}

/** After its exp a command may still be on its way: an agent's clock may be this far off (contract §5). */
export const COMMAND_GRACE_MS = 60_000;
/** After its own timeout an agent has this long to report before it counts as lost (contract §5). */
export const ANSWER_GRACE_MS = 60_000;

/** The state as it stands in the transaction, with the moment at which something has to be decided about it. */
export async function readState(tx: Tx, action: Row<'actions'>): Promise<ActionState> {
  return { status: action.status, deadlineAtMs: await findDeadline(tx, action) };
}

async function findDeadline(tx: Tx, action: Row<'actions'>): Promise<number> {
  const expiresAtMs = action.expires_at?.getTime() ?? 0;
  if (action.status === 'executing' && action.next_attempt_at === null) {
    const startedAtMs = action.executed_at?.getTime() ?? 0;
    return startedAtMs + action.timeout_s * 1000 + ANSWER_GRACE_MS;
  }
  if (!isToStart(action)) return expiresAtMs;
  const command = await findOpenCommand(tx, action.id);
  if (command === null) return isLater(action.next_attempt_at) ? action.next_attempt_at.getTime() : expiresAtMs;
  const commandEndMs = command.exp.getTime() + COMMAND_GRACE_MS;
  return action.cancel_requested_at === null ? Math.max(expiresAtMs, commandEndMs) : commandEndMs;
}

function isLater(at: Date | null): at is Date {
  return at !== null && at.getTime() > Date.now();
}

/** Reads without a lock: to learn the server, which is locked before the action (db/orm.ts, INVARIANTS). */
export async function findActionRow(tx: Tx, actionId: string): Promise<Row<'actions'>> {
  return tx.kysely.selectFrom('actions').selectAll().where('id', '=', actionId).executeTakeFirstOrThrow();
}

/** Locks the action and, before it, its server. */
export async function lockActionAndServer(
  tx: Tx,
  actionId: string,
): Promise<{ action: Row<'actions'>; server: Row<'servers'> }> {
  const { server_id: serverId } = await findActionRow(tx, actionId);
  const server = await lockServer(tx, serverId);
  const action = await lockAction(tx, actionId);
  if (server === null || action === null) throw new Error(`Action ${actionId} lost its row.`);
  return { action, server };
}
