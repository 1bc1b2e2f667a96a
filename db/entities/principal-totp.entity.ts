import { defineEntity, p } from '@mikro-orm/core';

const PrincipalTotpSchema = defineEntity({
  name: 'PrincipalTotp',
  tableName: 'principal_totps',
  properties: {
    principal: p.text().primary(),
    secret: p.text(),
    enrolledAt: p.datetime(3).defaultRaw('now()'),
    lastStep: p.bigint('number').nullable(),
    failures: p.integer().default(0),
    lockedUntil: p.datetime(3).nullable(),
  },
});

/** The one-time codes of a principal; `secret` is encrypted, `lastStep` the last code that was good (30 s each). */
export class PrincipalTotp extends PrincipalTotpSchema.class {}
PrincipalTotpSchema.setClass(PrincipalTotp);
