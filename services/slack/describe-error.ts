import { isDatabaseAway } from '../../db/errors.ts';
import { MedicError } from '../../domain/errors.ts';

/** What a person is told of an error; `isExpected` false: somebody should read the log. */
export function describeError(error: unknown): { sentence: string; isExpected: boolean } {
  if (error instanceof MedicError) return { sentence: error.message, isExpected: true };
  if (isDatabaseAway(error)) {
    return {
      sentence: 'The database is away, and whether this was recorded is not known: look before you try again.',
      isExpected: false,
    };
  }
  return {
    sentence: 'Something went wrong on our side; whether it was recorded is not known. Look before you try again.',
    isExpected: false,
  };
}
