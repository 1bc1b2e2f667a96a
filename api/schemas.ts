import * as z from 'zod';

/** What several resources share. Times are ISO 8601 in UTC. */
export const time = z.iso.datetime({ offset: false });
export const timeOrNull = time.nullable();
export const textOrNull = z.string().nullable();

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).optional().describe('How many at most; a larger wish gets the largest page.'),
  after: z.string().max(500).optional().describe('The `next` of the page before.'),
});

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: textOrNull.describe('Null on the last page.') });
}

export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z.string().optional().describe('Kept 24 hours; a repeat answers 200 with the first answer.'),
});

const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string(), code: z.string() })),
  })
  .describe('application/problem+json');

/** Documented answers beside the good one. No handler gives them, so they stay out of the handlers' types. */
export const problems = { '4xx': problem, '5xx': problem } as unknown as Readonly<Record<never, never>>;
export const bearer = [{ bearer: [] }];

export function toTime(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
