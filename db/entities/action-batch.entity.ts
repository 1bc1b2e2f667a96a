import { defineEntity, p } from '@mikro-orm/core';

const ActionBatchSchema = defineEntity({
  name: 'ActionBatch',
  tableName: 'action_batches',
  properties: {
    id: p.text().primary(),
    playbook: p.text(),
    approvalsRequired: p.integer(),
    rule: p.text(),
    createdAt: p.datetime(3).defaultRaw('now()'),
    slackChannel: p.text().nullable(),
    slackTs: p.text().nullable(),
    slackPermalink: p.text().nullable(),
  },
  indexes: [{ name: 'action_batches_playbook_index', properties: ['playbook', 'createdAt'] }],
});

/**
 * Many requests of one playbook that need the same, on one card. Its actions point to it and keep their own records;
 * the card's place is told as in an action's row.
 */
export class ActionBatch extends ActionBatchSchema.class {}
ActionBatchSchema.setClass(ActionBatch);
