import { sql } from 'kysely';
import type { ActionWithNames } from './action.repository.ts';
import { withCourse } from './action-course.ts';
import { selectWithServer } from './action.repository.ts';
import type { Source } from './source.ts';

/** Actions that wait for a person and are judged alike: what may decide one of them may decide each. */
export interface WaitingKind {
  key: string;
  count: number;
  /** One of them. */
  sampleId: string;
}

/**
 * What waits for somebody else than this person asked for, and not for their second approval, by kind: few, however many
 * actions there are. What policy judges an approver by is in the key: groups, ladder, and where each approval must come
 * from another group, those that spoke already.
 */
export async function listWaitingKinds(source: Source, principal: string): Promise<WaitingKind[]> {
  const { rows } = await sql<WaitingKind>`
    select ${KEY} as key, count(*)::int as count, min(actions.id) as "sampleId"
    from actions where ${IS_WAITING} and ${isOpenTo(principal)} group by 1
  `.execute(source.kysely);
  return rows;
}

/** The oldest of these kinds, which expire first. */
export async function listWaitingOfKinds(
  source: Source,
  input: { principal: string; keys: readonly string[]; limit: number },
): Promise<ActionWithNames[]> {
  if (input.keys.length === 0) return [];
  const rows = await selectWithServer(source)
    .where(IS_WAITING)
    .where(isOpenTo(input.principal))
    .where(KEY, 'in', [...input.keys])
    .orderBy('actions.requested_at')
    .orderBy('actions.id')
    .limit(input.limit)
    .execute();
  return withCourse(source, rows);
}

const IS_WAITING = sql<boolean>`actions.status = 'pending' and actions.approvals_required > 0`;

const isOpenTo = (principal: string) => sql<boolean>`actions.requested_by <> ${principal} and not exists (
  select 1 from decisions where decisions.action_id = actions.id and decisions.status = 'applied'
    and decisions.principal = ${principal})`;

const KEY = sql<string>`md5(jsonb_build_array(
  actions.approval_rule -> 'from', actions.approval_rule -> 'escalate', actions.approval_rule -> 'distinctGroups',
  actions.escalation_step,
  case when actions.approval_rule @> '{"distinctGroups": true}' then (
    select jsonb_agg(to_jsonb(decisions.groups) order by decisions.created_at, decisions.id) from decisions
    where decisions.action_id = actions.id and decisions.status = 'applied' and decisions.kind = 'approve'
  ) end)::text)`;
