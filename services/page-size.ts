import { InvalidInputError } from '../domain/errors.ts';

const DEFAULT_PAGE = 50;
const LARGEST_PAGE = 200; // a page fits one answer that a person waits for

/** The size of one page of a list; a larger wish gets the largest page. Throws InvalidInputError `invalid_limit`. */
export function readPageSize(limit: number | undefined, largest = LARGEST_PAGE): number {
  if (limit === undefined) return DEFAULT_PAGE;
  if (Number.isSafeInteger(limit) && limit >= 1) return Math.min(limit, largest);
  const message = `limit must be a whole number from 1 to ${largest}, not ${limit}.`;
  throw new InvalidInputError(message, {
    code: 'invalid_limit',
    fields: [{ path: 'limit', message, code: 'invalid_limit' }],
  });
}
