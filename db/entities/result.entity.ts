import { defineEntity, p } from '@mikro-orm/core';
import { Action } from './action.entity.ts';

const ResultSchema = defineEntity({
  name: 'Result',
  tableName: 'results',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    commandId: p.text(),
    action: () => p.manyToOne(Action).nullable(),
    attempt: p.integer(),
    status: p.text(),
    code: p.text().nullable(),
    exitCode: p.integer().nullable(),
    signal: p.text().nullable(),
    startedAt: p.datetime(3).nullable(),
    finishedAt: p.datetime(3).nullable(),
    stdout: p.text().default(''),
    stderr: p.text().default(''),
    stdoutBytes: p.bigint('number').defaultRaw('0'),
    stderrBytes: p.bigint('number').defaultRaw('0'),
    stdoutSha256: p.text().nullable(),
    stderrSha256: p.text().nullable(),
    truncated: p.boolean().default(false),
    receivedAt: p.datetime(3).defaultRaw('now()'),
    isLate: p.boolean().default(false),
    adoptedAt: p.datetime(3).nullable(),
  },
  indexes: [
    { name: 'results_action_index', properties: ['action', 'receivedAt'] },
    {
      name: 'results_unadopted_index',
      properties: ['receivedAt'],
      where: '"adopted_at" is null and "is_late" = false',
    },
  ],
  uniques: [{ name: 'results_one_per_command', properties: ['commandId'], where: '"is_late" = false' }],
});

/** What an agent reported, masked by it. A late one is kept and shown and moves nothing. */
export class Result extends ResultSchema.class {}
ResultSchema.setClass(Result);
