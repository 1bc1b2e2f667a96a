import { defineEntity, p } from '@mikro-orm/core';
import { ActionBatch } from './action-batch.entity.ts';
import { Action } from './action.entity.ts';

export const OUTBOX_KINDS = ['card', 'notice', 'private', 'batch', 'output', 'reminder', 'announcement'] as const;

/**
 * `card` and `batch`: draw it again. `notice`: a new message in the channel. `output` and `reminder`: a reply in the
 * thread of the card. `private`: a direct message. `announcement`: a new message in the channel that is about no single action.
 */
export type OutboxKind = (typeof OUTBOX_KINDS)[number];

const SlackOutboxEntrySchema = defineEntity({
  name: 'SlackOutboxEntry',
  tableName: 'slack_outbox',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    kind: p.text().$type<OutboxKind>(),
    action: () => p.manyToOne(Action).nullable().deleteRule('set null'),
    batch: () => p.manyToOne(ActionBatch).nullable().deleteRule('set null'),
    mergeKey: p.text().nullable(),
    payload: p.json<Record<string, unknown>>().defaultRaw(`'{}'`),
    version: p.integer().default(1),
    createdAt: p.datetime(3).defaultRaw('now()'),
    attempts: p.integer().default(0),
    nextAt: p.datetime(3).defaultRaw('now()'),
    leasedUntil: p.datetime(3).nullable(),
    sentAt: p.datetime(3).nullable(),
    lastError: p.text().nullable(),
  },
  indexes: [{ name: 'slack_outbox_due_index', properties: ['nextAt', 'id'], where: '"sent_at" is null' }],
  uniques: [{ name: 'slack_outbox_one_unsent', properties: ['mergeKey'], where: '"sent_at" is null' }],
  checks: [
    {
      name: 'slack_outbox_kind_check',
      expression: `kind in (${OUTBOX_KINDS.map((kind) => `'${kind}'`).join(', ')})`,
    },
  ],
});

/**
 * A message owed to Slack. A card's entry only says "draw it again": what is sent is made from the rows at that time.
 * What has the same `mergeKey` is owed once. `version` grows each time the entry becomes due again, so that a send that
 * began before does not end it; while `leasedUntil` lies ahead, one process is sending it and no other may.
 */
export class SlackOutboxEntry extends SlackOutboxEntrySchema.class {}
SlackOutboxEntrySchema.setClass(SlackOutboxEntry);
