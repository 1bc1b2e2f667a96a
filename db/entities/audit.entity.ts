import { defineEntity, p } from '@mikro-orm/core';

const AuditEventSchema = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_events',
  properties: {
    seq: p.bigint('number').primary().autoincrement(false),
    body: p.text(),
    at: p.datetime(3),
    actor: p.text(),
    via: p.text(),
    event: p.text(),
    subjectType: p.text(),
    subjectId: p.text(),
  },
  indexes: [{ name: 'audit_events_subject_index', properties: ['subjectType', 'subjectId', 'seq'] }],
});

/** One appended fact. `body` is the exact line people verify; the other columns only find it. */
export class AuditEvent extends AuditEventSchema.class {}
AuditEventSchema.setClass(AuditEvent);

const AuditHeadSchema = defineEntity({
  name: 'AuditHead',
  tableName: 'audit_head',
  properties: {
    id: p.integer().primary().autoincrement(false),
    seq: p.bigint('number'),
    hash: p.text(),
  },
  checks: [{ name: 'audit_head_one_row', expression: 'id = 1' }],
});

/** The end of the chain: one row, locked by whoever appends. */
export class AuditHead extends AuditHeadSchema.class {}
AuditHeadSchema.setClass(AuditHead);
