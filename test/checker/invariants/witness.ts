import type { Violation } from '../evidence.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';

/** The log holds at least what a checkpoint saw, and that very line at its place. */
export function checkWitness({ evidence, log }: Run): Violation[] {
  return collect((say) => {
    for (const { count, head } of evidence.witnesses ?? []) {
      const place = `audit:${count}`;
      const seen = log.find(({ seq }) => seq === count);
      if (count > 0 && seen === undefined) {
        say('witness_holds', place, `a checkpoint saw ${count} events, and the log ends before`);
      } else if (seen !== undefined && seen.hash !== head) {
        say('witness_holds', place, 'this is not the event that a checkpoint saw here');
      }
    }
  });
}
