import { isWrongUse, MedicError, NotAllowedError } from '../domain/errors.ts';

/** Contract §2. */
export const EXIT = { done: 0, failed: 1, wrongUse: 2, refused: 3 } as const;

/** One sentence for the person at the terminal; what we did not foresee shows where it happened. */
export function explainError(error: unknown): { sentence: string; exitCode: number } {
  if (error instanceof MedicError) {
    return { sentence: `${error.message} (${error.code})`, exitCode: exitCodeOf(error) };
  }
  const sentence = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { sentence, exitCode: EXIT.failed };
}

function exitCodeOf(error: MedicError): number {
  if (error instanceof NotAllowedError) return EXIT.refused;
  return isWrongUse(error) ? EXIT.wrongUse : EXIT.failed;
}
