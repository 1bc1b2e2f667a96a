import { isDatabaseAway } from '../db/errors.ts';
import { UnavailableError } from '../domain/errors.ts';

/** The database is away, as the error that every edge tells; null where it is something else. */
export function toUnavailable(error: unknown): UnavailableError | null {
  if (!isDatabaseAway(error)) return null;
  const message = 'The database cannot be reached, or takes nothing more, just now: ask again in a moment.';
  return new UnavailableError(message, { code: 'database_away', cause: error });
}
