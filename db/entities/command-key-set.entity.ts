import { defineEntity, p } from '@mikro-orm/core';

const CommandKeySetSchema = defineEntity({
  name: 'CommandKeySet',
  tableName: 'command_key_sets',
  properties: {
    serial: p.integer().primary().autoincrement(false),
    keys: p.json<Record<string, unknown>[]>(),
    jws: p.text(),
    madeAt: p.datetime(3).defaultRaw('now()'),
  },
});

/** The keys whose commands agents accept from then on; `jws` is the same, signed by a key of the set before. */
export class CommandKeySet extends CommandKeySetSchema.class {}
CommandKeySetSchema.setClass(CommandKeySet);
