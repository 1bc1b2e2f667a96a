import type { Source } from './source.ts';

/** The lines after `after`, oldest first, exactly as they were hashed. */
export async function listAuditAfter(
  source: Source,
  input: { after: number; limit: number },
): Promise<{ seq: number; body: string }[]> {
  return source.kysely
    .selectFrom('audit_events')
    .select(['seq', 'body'])
    .where('seq', '>', input.after)
    .orderBy('seq')
    .limit(input.limit)
    .execute();
}

/** The lines about one thing, oldest first. */
export function listAuditOf(
  source: Source,
  subject: { type: string; id: string },
): Promise<{ seq: number; body: string }[]> {
  return source.kysely
    .selectFrom('audit_events')
    .select(['seq', 'body'])
    .where('subject_type', '=', subject.type)
    .where('subject_id', '=', subject.id)
    .orderBy('seq')
    .execute();
}

/** What a checkpoint signs: how many lines there are, and the hash of the last. */
export async function readAuditHead(source: Source): Promise<{ seq: number; hash: string }> {
  return source.kysely.selectFrom('audit_head').select(['seq', 'hash']).executeTakeFirstOrThrow();
}
