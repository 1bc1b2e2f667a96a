import { defineEntity, p } from '@mikro-orm/core';
import { Server } from './server.entity.ts';

const AgentKeySchema = defineEntity({
  name: 'AgentKey',
  tableName: 'agent_keys',
  properties: {
    id: p.text().primary(),
    server: () => p.manyToOne(Server),
    kid: p.text().unique('agent_keys_kid_unique'),
    publicKey: p.json<Record<string, unknown>>(),
    createdAt: p.datetime(3).defaultRaw('now()'),
    enrolledAt: p.datetime(3).defaultRaw('now()'),
    isNext: p.boolean().default(false),
    revokedAt: p.datetime(3).nullable(),
  },
  uniques: [
    { name: 'agent_keys_one_in_use', properties: ['server'], where: '"revoked_at" is null and not "is_next"' },
    { name: 'agent_keys_one_next', properties: ['server'], where: '"revoked_at" is null and "is_next"' },
  ],
});

/** The public half of an agent's key; `kid` is its RFC 7638 thumbprint. Of a server one is in use, and one may be next. */
export class AgentKey extends AgentKeySchema.class {}
AgentKeySchema.setClass(AgentKey);
