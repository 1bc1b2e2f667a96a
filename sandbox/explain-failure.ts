import { MedicError } from '../domain/errors.ts';

/** The sentence for a person where something cannot go on; what we did not foresee shows where it happened. */
export function explainFailure(error: unknown): string {
  if (error instanceof MedicError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
