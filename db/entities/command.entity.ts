import { defineEntity, p } from '@mikro-orm/core';
import { Action } from './action.entity.ts';
import { Server } from './server.entity.ts';

export type CommandState = 'handed_out' | 'running' | 'ended';

const CommandSchema = defineEntity({
  name: 'Command',
  tableName: 'commands',
  properties: {
    id: p.text().primary(),
    action: () => p.manyToOne(Action),
    attempt: p.integer(),
    server: () => p.manyToOne(Server),
    seq: p.bigint('number'),
    state: p.text().$type<CommandState>().default('handed_out'),
    issuedAt: p.datetime(3).defaultRaw('now()'),
    exp: p.datetime(3),
    startedAt: p.datetime(3).nullable(),
    cancelRequested: p.boolean().default(false),
    endedAt: p.datetime(3).nullable(),
    step: p.integer().default(0),
    steps: p.integer().default(0),
    failureCode: p.text().nullable(),
    unknownShown: p.boolean().default(false),
  },
  uniques: [
    { name: 'commands_one_per_attempt', properties: ['action', 'attempt'] },
    { name: 'commands_seq_unique', properties: ['server', 'seq'] },
    {
      name: 'commands_one_at_a_time',
      properties: ['server'],
      where: `"state" = any (array['handed_out'::text, 'running'::text])`,
    },
  ],
  checks: [{ name: 'commands_state_check', expression: `state in ('handed_out', 'running', 'ended')` }],
});

/**
 * One attempt of one action, as handed out to an agent. `exp` is that of the latest signature; `step` of `steps` as the
 * agent last said, 0 before it began; `failureCode` is why this attempt failed; `unknownShown`:
 * its card says that nothing is heard of the agent.
 */
export class Command extends CommandSchema.class {}
CommandSchema.setClass(Command);
