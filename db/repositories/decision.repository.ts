import { sql } from 'kysely';
import type { Tx } from '../orm.ts';
import type { NewRow, Row } from '../tables.ts';
import { toJson } from '../tables.ts';
import type { Source } from './source.ts';

export type DecisionRow = Row<'decisions'>;

const ROWS_AT_ONCE = 1_000; // a statement takes 65,535 values

export interface AppliedApproval {
  by: string;
  at: Date;
  reason: string | null;
  /** Of the rule's groups, those the person stood for. */
  groups: string[];
  isBreakGlass: boolean;
}

/** Records what somebody decided. The same id again changes nothing and gives what was recorded first. */
export async function recordDecision(tx: Tx, decision: NewRow<'decisions'>): Promise<DecisionRow> {
  await tx.kysely
    .insertInto('decisions')
    .values(decision)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  return tx.kysely.selectFrom('decisions').selectAll().where('id', '=', decision.id).executeTakeFirstOrThrow();
}

/** Many at once; those whose ids are known change nothing. */
export async function recordDecisions(tx: Tx, decisions: readonly NewRow<'decisions'>[]): Promise<void> {
  for (let at = 0; at < decisions.length; at += ROWS_AT_ONCE) {
    await tx.kysely
      .insertInto('decisions')
      .values(decisions.slice(at, at + ROWS_AT_ONCE))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
}

export async function findDecisionById(source: Source, id: string): Promise<DecisionRow | null> {
  const row = await source.kysely.selectFrom('decisions').selectAll().where('id', '=', id).executeTakeFirst();
  return row ?? null;
}

/**
 * recorded → applied | refused, once; null where it was settled before. Throws the guard `already_decided` where this
 * person has decided on the action before: it ends the transaction, so look before with listDecisions.
 */
export async function settleDecision(
  tx: Tx,
  input: { id: string; status: 'applied' | 'refused'; code?: string | null; answer?: Record<string, unknown> },
): Promise<DecisionRow | null> {
  const row = await tx.kysely
    .updateTable('decisions')
    .set({
      status: input.status,
      ...(input.code === undefined ? {} : { code: input.code }),
      answer: input.answer === undefined ? null : toJson(input.answer),
      applied_at: sql<Date>`clock_timestamp()`,
    })
    .where('id', '=', input.id)
    .where('status', '=', 'recorded')
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** All decisions on one action, oldest first. */
export function listDecisions(source: Source, actionId: string): Promise<DecisionRow[]> {
  return source.kysely
    .selectFrom('decisions')
    .selectAll()
    .where('action_id', '=', actionId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** Decisions that no workflow has answered, oldest first: what a pump submits again. */
export function listRecordedDecisions(
  source: Source,
  input: { createdBefore: Date; limit: number },
): Promise<DecisionRow[]> {
  return source.kysely
    .selectFrom('decisions')
    .selectAll()
    .where('status', '=', 'recorded')
    .where('created_at', '<=', input.createdBefore)
    .orderBy('created_at')
    .limit(input.limit)
    .execute();
}

/** Applied approvals by action, in the order they were applied. */
export async function listAppliedApprovals(
  source: Source,
  actionIds: readonly string[],
): Promise<Map<string, AppliedApproval[]>> {
  const approvals = new Map<string, AppliedApproval[]>();
  if (actionIds.length === 0) {
    return approvals;
  }
  const rows = await source.kysely
    .selectFrom('decisions')
    .select(['action_id', 'principal', 'applied_at', 'created_at', 'reason', 'groups', 'break_glass'])
    .where('action_id', 'in', [...actionIds])
    .where('kind', '=', 'approve')
    .where('status', '=', 'applied')
    .orderBy('applied_at')
    .orderBy('created_at')
    .execute();
  for (const row of rows) {
    const list = approvals.get(row.action_id) ?? [];
    const { principal: by, reason, groups, break_glass: isBreakGlass } = row;
    list.push({ by, at: row.applied_at ?? row.created_at, reason, groups, isBreakGlass });
    approvals.set(row.action_id, list);
  }
  return approvals;
}
