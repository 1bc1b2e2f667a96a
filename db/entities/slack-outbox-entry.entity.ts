import { defineEntity, p } from '@mikro-orm/core';
import { Action } from './action.entity.ts';

export type OutboxKind = 'card' | 'notice' | 'private';

const SlackOutboxEntrySchema = defineEntity({
  name: 'SlackOutboxEntry',
  tableName: 'slack_outbox',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    kind: p.text().$type<OutboxKind>(),
    action: () => p.manyToOne(Action).nullable(),
    payload: p.json<Record<string, unknown>>().defaultRaw(`'{}'`),
    version: p.integer().default(1),
    createdAt: p.datetime(3).defaultRaw('now()'),
    attempts: p.integer().default(0),
    nextAt: p.datetime(3).defaultRaw('now()'),
    sentAt: p.datetime(3).nullable(),
    lastError: p.text().nullable(),
  },
  indexes: [{ name: 'slack_outbox_due_index', properties: ['nextAt', 'id'], where: '"sent_at" is null' }],
  uniques: [
    {
      name: 'slack_outbox_one_unsent',
      properties: ['action', 'kind'],
      where: `"sent_at" is null and "kind" <> 'private'`,
    },
  ],
  checks: [{ name: 'slack_outbox_kind_check', expression: `kind in ('card', 'notice', 'private')` }],
});

/**
 * A message owed to Slack. A card's entry only says "draw it again": what is sent is made from the action's row at
 * that time. `version` grows each time the entry becomes due again, so that a send that began before does not end it.
 */
export class SlackOutboxEntry extends SlackOutboxEntrySchema.class {}
SlackOutboxEntrySchema.setClass(SlackOutboxEntry);
