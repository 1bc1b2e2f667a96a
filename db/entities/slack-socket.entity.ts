import { defineEntity, p } from '@mikro-orm/core';

const SlackSocketSchema = defineEntity({
  name: 'SlackSocket',
  tableName: 'slack_sockets',
  properties: {
    id: p.text().primary(),
    startedAt: p.datetime(3).defaultRaw('now()'),
    seenAt: p.datetime(3).defaultRaw('now()'),
    isConnected: p.boolean().default(false),
    connectedAt: p.datetime(3).nullable(),
  },
});

/**
 * What one bot process said last of its socket to Slack: `seenAt` when it said so, `connectedAt` when it last had one
 * (null: never). A process that ends properly takes its row away; a killed one leaves it, and its age tells.
 */
export class SlackSocket extends SlackSocketSchema.class {}
SlackSocketSchema.setClass(SlackSocket);
