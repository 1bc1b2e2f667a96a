import * as z from 'zod';

/** Loose, because a line is checked by its hash: nothing of it may be left out or put in another form. */
export const auditEventJson = z
  .looseObject({
    seq: z.number().int(),
    at: z.string(),
    actor: z.string(),
    via: z.string(),
    event: z.string(),
    subject: z.looseObject({ type: z.string(), id: z.string() }),
    data: z.record(z.string(), z.unknown()),
    prev: z.string(),
    hash: z.string(),
  })
  .describe('`hash` is the SHA-256 of the RFC 8785 form of the object without `hash`.');

export const checkpointJson = z
  .object({
    checkpoint: z.string().describe('A compact JWS over `{ count, head, at }`.'),
    count: z.number().int(),
    head: z.string(),
    keys: z.array(z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), kid: z.string() })),
  })
  .describe('The log held `count` events, and the hash of the last was `head`.');
