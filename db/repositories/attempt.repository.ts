import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { Row } from '../tables.ts';
import type { CommandRow } from './command.repository.ts';
import { findCommandOfAction } from './command.repository.ts';
import type { Source } from './source.ts';

/** One attempt that was handed out, as far as it has come; `failureCode` is null unless it has failed. */
export interface Attempt {
  attempt: number;
  commandId: string;
  issuedAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
  exitCode: number | null;
  signal: string | null;
  failureCode: string | null;
}

/** Its agent has not said yet that it holds the attempt that is owed: approved, or between two attempts. */
export function isToStart(action: Pick<Row<'actions'>, 'status' | 'next_attempt_at'>): boolean {
  return action.status === 'approved' || (action.status === 'executing' && action.next_attempt_at !== null);
}

/** The command that an agent has or may get; null where none is made for the attempt that is owed, or it has ended. */
export async function findOpenCommand(source: Source, actionId: string): Promise<CommandRow | null> {
  const command = await findCommandOfAction(source, actionId);
  return command === null || command.state === 'ended' ? null : command;
}

/**
 * A condition on `actions`: approved, or due to be tried again. After its agent was lost an action is due only once that
 * same agent has called since: who asks for work then has listed what it runs. One that was enrolled anew cannot know.
 */
export const IS_TURN_DUE = sql<boolean>`(actions.status = 'approved' or (
  actions.status = 'executing' and actions.next_attempt_at <= clock_timestamp() and not exists (
    select 1 from commands lost join servers on servers.id = lost.server_id
    where lost.action_id = actions.id and lost.attempt = actions.attempt - 1 and lost.failure_code = 'agent_lost'
      and (servers.last_seen_at <= lost.ended_at or exists (
        select 1 from agent_keys
        where agent_keys.server_id = lost.server_id and agent_keys.revoked_at is null
          and agent_keys.enrolled_at > lost.issued_at
      ))
  )
))`;

/** By action, the first attempt first; of these actions. */
export async function readAttempts(source: Source, actionIds: readonly string[]): Promise<Map<string, Attempt[]>> {
  const byAction = new Map<string, Attempt[]>();
  if (actionIds.length === 0) return byAction;
  const rows = await source.kysely
    .selectFrom('commands')
    .leftJoin('results', (join) =>
      join.onRef('results.command_id', '=', 'commands.id').on('results.is_late', '=', sql.lit(false)),
    )
    .select(['commands.action_id', 'commands.attempt', 'commands.id', 'commands.issued_at', 'commands.ended_at'])
    .select(['commands.failure_code', 'commands.started_at', 'results.exit_code', 'results.signal'])
    .select('results.started_at as told_started_at')
    .where('commands.action_id', 'in', [...actionIds])
    .orderBy('commands.attempt')
    .execute();
  for (const row of rows) {
    const attempt: Attempt = {
      attempt: row.attempt,
      commandId: row.id,
      issuedAt: row.issued_at,
      startedAt: row.told_started_at ?? row.started_at,
      endedAt: row.ended_at,
      exitCode: row.exit_code,
      signal: row.signal,
      failureCode: row.failure_code,
    };
    byAction.set(row.action_id, [...(byAction.get(row.action_id) ?? []), attempt]);
  }
  return byAction;
}

/** What `auto` approved here and its agent does not have, locked: a pause ends these. */
export function lockAutoApprovedActions(tx: Tx, serverId: string): Promise<Row<'actions'>[]> {
  return tx.kysely
    .selectFrom('actions')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('approved_by', '=', 'auto')
    .where((eb) =>
      eb.or([
        eb('status', '=', 'approved'),
        eb.and([eb('status', '=', 'executing'), eb('next_attempt_at', 'is not', null)]),
      ]),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('commands')
            .select('commands.id')
            .whereRef('commands.action_id', '=', 'actions.id')
            .where('commands.state', '<>', 'ended'),
        ),
      ),
    )
    .orderBy('approved_seq')
    .forUpdate()
    .execute();
}
