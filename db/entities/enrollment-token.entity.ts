import { defineEntity, p } from '@mikro-orm/core';

const EnrollmentTokenSchema = defineEntity({
  name: 'EnrollmentToken',
  tableName: 'enrollment_tokens',
  properties: {
    id: p.text().primary(),
    tokenHash: p.text().unique('enrollment_tokens_token_hash_unique'),
    serverName: p.text(),
    tags: p.array().columnType('text[]').defaultRaw(`'{}'`),
    createdBy: p.text(),
    createdAt: p.datetime(3).defaultRaw('now()'),
    expiresAt: p.datetime(3),
    usedAt: p.datetime(3).nullable(),
  },
});

/** Lets one agent enrol once, under one server name. Only the hash is stored. */
export class EnrollmentToken extends EnrollmentTokenSchema.class {}
EnrollmentTokenSchema.setClass(EnrollmentToken);
