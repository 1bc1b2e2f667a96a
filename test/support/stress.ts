import { join } from 'node:path';
import type { beginRun } from './kept-results.ts';
import { keepRun } from './kept-results.ts';

/** How often something is tried: at each run of the tests, and in `npm run stress`. */
export function countOf(tries: { usual: number; stress: number }): number {
  return isStress ? tries.stress : tries.usual;
}

const isStress = process.env['STRESS'] === '1';

/** Long enough for either. */
export const STRESS_TIMEOUT_MS = isStress ? 4 * 3_600_000 : 120_000;

/** Does it `count` times, some at once; rejects with the first that failed. */
export async function repeat(
  input: { count: number; atOnce: number },
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    for (let index = next++; index < input.count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: input.atOnce }, run));
}

/** Adds a run in which nothing was found to the results of earlier ones, in `npm run stress` only. */
export function keepCounts(
  name: string,
  { run, counts }: { run: ReturnType<typeof beginRun>; counts: Record<string, number> },
): void {
  if (!isStress) return;
  const path = join(import.meta.dirname, '..', '..', 'bench', 'results', `${name}.json`);
  keepRun(path, { ...run, counts, findings: [] });
}
