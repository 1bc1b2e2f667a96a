import { defineEntity, p } from '@mikro-orm/core';
import { Action } from './action.entity.ts';

export type DecisionKind = 'approve' | 'reject' | 'cancel';
/** recorded → applied | refused; what was applied or refused never changes again. */
export type DecisionStatus = 'recorded' | 'applied' | 'refused';

const DecisionSchema = defineEntity({
  name: 'Decision',
  tableName: 'decisions',
  properties: {
    id: p.text().primary(),
    action: () => p.manyToOne(Action),
    kind: p.text().$type<DecisionKind>(),
    principal: p.text(),
    via: p.text(),
    reason: p.text().nullable(),
    code: p.text().nullable(),
    playbookDigest: p.text().nullable(),
    groups: p.array().columnType('text[]').defaultRaw(`'{}'`),
    breakGlass: p.boolean().default(false),
    status: p.text().$type<DecisionStatus>().default('recorded'),
    answer: p.json<Record<string, unknown>>().nullable(),
    createdAt: p.datetime(3).defaultRaw('now()'),
    appliedAt: p.datetime(3).nullable(),
  },
  indexes: [
    { name: 'decisions_action_index', properties: ['action', 'createdAt'] },
    { name: 'decisions_recorded_index', properties: ['createdAt'], where: `"status" = 'recorded'` },
  ],
  uniques: [
    {
      name: 'decisions_one_per_person',
      properties: ['action', 'principal'],
      where: `"status" = 'applied' and "kind" = any (array['approve'::text, 'reject'::text])`,
    },
  ],
  checks: [
    { name: 'decisions_kind_check', expression: `kind in ('approve', 'reject', 'cancel')` },
    {
      name: 'decisions_break_glass_check',
      expression: `not break_glass or (kind = 'approve' and reason is not null)`,
    },
    { name: 'decisions_status_check', expression: `status in ('recorded', 'applied', 'refused')` },
  ],
});

/** What a person decided about an action; `id` is the same however often it is delivered. Stored before the workflow hears of it. */
export class Decision extends DecisionSchema.class {}
DecisionSchema.setClass(Decision);
