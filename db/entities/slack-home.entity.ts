import { defineEntity, p } from '@mikro-orm/core';

const SlackHomeSchema = defineEntity({
  name: 'SlackHome',
  tableName: 'slack_homes',
  properties: {
    slackUserId: p.text().primary(),
    viewId: p.text().nullable(),
    openedAt: p.datetime(3).defaultRaw('now()'),
    checkedAt: p.datetime(3).defaultRaw('now()'),
    seenSeq: p.bigint('number').defaultRaw('0'),
    digest: p.text().nullable(),
  },
  indexes: [{ name: 'slack_homes_checked_index', properties: ['checkedAt'] }],
});

/**
 * The Home tab of one person, as we published it last: `digest` of what it showed, `seenSeq` the audit event that it was
 * looked through at.
 */
export class SlackHome extends SlackHomeSchema.class {}
SlackHomeSchema.setClass(SlackHome);
