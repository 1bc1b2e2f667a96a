import { defineEntity, p } from '@mikro-orm/core';

const SlackLaneSchema = defineEntity({
  name: 'SlackLane',
  tableName: 'slack_lanes',
  properties: {
    name: p.text().primary(),
    sentMs: p.json<number[]>().defaultRaw(`'[]'`),
    restsUntil: p.datetime(3).nullable(),
    failures: p.integer().default(0),
  },
});

/**
 * One way to Slack whose pace all processes keep together: when it last sent (newest last, in ms since 1970 by the
 * database's clock), until when it rests, and how often in a row Slack did not answer.
 */
export class SlackLane extends SlackLaneSchema.class {}
SlackLaneSchema.setClass(SlackLane);
