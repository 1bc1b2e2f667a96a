import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { Row, RowChange } from '../tables.ts';
import { wakeInLine } from '../wake-in-line.ts';
import type { Source } from './source.ts';

export type CommandRow = Row<'commands'>;

/**
 * Hands out a command: takes the server's next `seq` and stores the attempt. Throws the guards `command_outstanding`,
 * `action_not_approved` and `attempt_handed_out`. Lock the server first.
 */
export async function insertCommand(
  tx: Tx,
  input: { id: string; actionId: string; attempt: number; serverId: string; issuedAt: Date; exp: Date },
): Promise<CommandRow> {
  const { next_seq: nextSeq } = await tx.kysely
    .updateTable('servers')
    .set({ next_seq: sql<number>`next_seq + 1` })
    .where('id', '=', input.serverId)
    .returning('next_seq')
    .executeTakeFirstOrThrow();
  return tx.kysely
    .insertInto('commands')
    .values({
      id: input.id,
      action_id: input.actionId,
      attempt: input.attempt,
      server_id: input.serverId,
      seq: nextSeq - 1,
      issued_at: input.issuedAt,
      exp: input.exp,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The one command that is handed out or running on this server. */
export async function findOutstandingCommand(source: Source, serverId: string): Promise<CommandRow | null> {
  const row = await source.kysely
    .selectFrom('commands')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('state', 'in', ['handed_out', 'running'])
    .executeTakeFirst();
  return row ?? null;
}

export async function findCommandById(source: Source, id: string): Promise<CommandRow | null> {
  const row = await source.kysely.selectFrom('commands').selectAll().where('id', '=', id).executeTakeFirst();
  return row ?? null;
}

/** The latest attempt of an action. */
export async function findCommandOfAction(source: Source, actionId: string): Promise<CommandRow | null> {
  const row = await source.kysely
    .selectFrom('commands')
    .selectAll()
    .where('action_id', '=', actionId)
    .orderBy('attempt', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/**
 * Changes a command that has not ended; null where it has. Set `state: 'ended'` together with `ended_at`: that makes
 * room, and whoever waits for it is woken.
 */
export async function updateCommand(tx: Tx, id: string, set: RowChange<'commands'>): Promise<CommandRow | null> {
  const row = await tx.kysely
    .updateTable('commands')
    .set(set)
    .where('id', '=', id)
    .where('state', '<>', 'ended')
    .returningAll()
    .executeTakeFirst();
  if (row?.state === 'ended') await wakeInLine(tx, row.server_id);
  return row ?? null;
}
