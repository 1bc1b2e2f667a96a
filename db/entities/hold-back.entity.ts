import { defineEntity, p } from '@mikro-orm/core';
import { Action } from './action.entity.ts';
import { Server } from './server.entity.ts';

const HoldBackSchema = defineEntity({
  name: 'HoldBack',
  tableName: 'hold_backs',
  properties: {
    server: () => p.manyToOne(Server).primary(),
    playbook: p.text().primary(),
    action: () => p.manyToOne(Action),
    failures: p.integer(),
    since: p.datetime(3).defaultRaw('now()'),
  },
});

/**
 * A playbook that failed on a server too often in a row: nothing of it starts there while the row stands. `action` is the
 * failure that was one too many, the dead letter that somebody has to deal with; `failures` how many there were in a row.
 */
export class HoldBack extends HoldBackSchema.class {}
HoldBackSchema.setClass(HoldBack);
