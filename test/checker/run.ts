import type { Evidence, Violation } from './evidence.ts';
import type { JournalLine } from './journal.ts';
import type { LogLine } from './log.ts';
import type { Story } from './story.ts';

/** The evidence, read. */
export interface Run {
  evidence: Evidence;
  log: readonly LogLine[];
  story: Story;
  journals: readonly { name: string; lines: readonly JournalLine[] }[];
}

/** Each is true of every run, whatever fails meanwhile. `npm test` breaks each by hand (test/unit/checker.test.ts). */
export const INVARIANTS = [
  'chain_holds',
  'witness_holds',
  'start_has_one_command',
  'start_was_approved',
  'starts_once',
  'journal_in_order',
  'ends_in_time',
  'ends_once',
  'no_start_after_stop',
  'settled_once',
  'one_at_a_time',
  'states_agree',
  'results_agree',
  'clicks_kept',
] as const;

export type Invariant = (typeof INVARIANTS)[number];

/** For an invariant's own file: its violations, said as it goes. */
export function collect(
  work: (say: (invariant: Invariant, where: string, sentence: string) => void) => void,
): Violation[] {
  const found: Violation[] = [];
  work((invariant, where, sentence) => void found.push({ invariant, where, sentence }));
  return found;
}
