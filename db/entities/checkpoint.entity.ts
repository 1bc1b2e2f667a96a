import { defineEntity, p } from '@mikro-orm/core';

const CheckpointSchema = defineEntity({
  name: 'Checkpoint',
  tableName: 'checkpoints',
  properties: {
    count: p.bigint('number').primary().autoincrement(false),
    head: p.text(),
    jws: p.text(),
    signedAt: p.datetime(3).defaultRaw('now()'),
  },
});

/** How far the audit log had grown: `count` events, the last with hash `head`. `jws` is the same, signed. */
export class Checkpoint extends CheckpointSchema.class {}
CheckpointSchema.setClass(Checkpoint);

const AuditReportSchema = defineEntity({
  name: 'AuditReport',
  tableName: 'audit_reports',
  properties: {
    day: p.date().primary(),
    count: p.bigint('number'),
  },
});

/** A day (UTC) on which the channel was told how long the log had grown until then. */
export class AuditReport extends AuditReportSchema.class {}
AuditReportSchema.setClass(AuditReport);
