import { defineEntity, p } from '@mikro-orm/core';
import { HALT_SCOPES } from '../../domain/halt.ts';
import type { HaltScope } from '../../domain/halt.ts';

const HaltSchema = defineEntity({
  name: 'Halt',
  tableName: 'halts',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    scope: p.text().$type<HaltScope>(),
    value: p.text().nullable(),
    reason: p.text(),
    declaredBy: p.text(),
    declaredVia: p.text(),
    declaredAt: p.datetime(3).defaultRaw('now()'),
    until: p.datetime(3).nullable(),
    liftedBy: p.text().nullable(),
    liftedVia: p.text().nullable(),
    liftedAt: p.datetime(3).nullable(),
    liftReason: p.text().nullable(),
    voided: p.integer().default(0),
    cardsDue: p.boolean().default(true),
    requestKey: p.text().nullable().unique('halts_request_key_unique'),
  },
  indexes: [
    { name: 'halts_standing_index', properties: ['id'], where: '"lifted_at" is null' },
    { name: 'halts_cards_index', properties: ['id'], where: '"cards_due"' },
  ],
  checks: [
    {
      name: 'halts_scope_check',
      expression: `scope in (${HALT_SCOPES.map((scope) => `'${scope}'`).join(', ')}) and (scope = 'all') = (value is null)`,
    },
    { name: 'halts_lifted_check', expression: '(lifted_at is null) = (lifted_by is null)' },
  ],
});

/**
 * A stop that people declared: it stands until it is lifted, also past `until`, which only says when the pump lifts it.
 * `voided`: how many actions that waited were cancelled at the lift. While `cardsDue`, the cards of what it covers do
 * not show it yet.
 */
export class Halt extends HaltSchema.class {}
HaltSchema.setClass(Halt);
