import type { Evidence, Violation } from './evidence.ts';
import { checkAgreement } from './invariants/agreement.ts';
import { checkApprovals } from './invariants/approvals.ts';
import { checkBeats } from './invariants/beats.ts';
import { checkClicks } from './invariants/clicks.ts';
import { checkCommands } from './invariants/commands.ts';
import { checkDeadLetters } from './invariants/dead-letters.ts';
import { checkEnds } from './invariants/ends.ts';
import { checkOneAtATime } from './invariants/one-at-a-time.ts';
import { checkPauses } from './invariants/pauses.ts';
import { checkStarts } from './invariants/starts.ts';
import { checkStops } from './invariants/stops.ts';
import { checkWitness } from './invariants/witness.ts';
import { readJournal } from './journal.ts';
import { readLog } from './log.ts';
import type { Run } from './run.ts';
import { tellStory } from './story.ts';

const CHECKS: readonly ((run: Run) => Violation[])[] = [
  checkWitness,
  checkCommands,
  checkApprovals,
  checkStarts,
  checkEnds,
  checkStops,
  checkPauses,
  checkBeats,
  checkDeadLetters,
  checkOneAtATime,
  checkAgreement,
  checkClicks,
];

/**
 * Judges a run by what it left behind, with nothing of Medic's own code: a mistake there must not hide here as well.
 * No violation is no proof of more than these invariants.
 */
export function checkRun(evidence: Evidence): Violation[] {
  const { log, faults } = readLog(evidence.audit);
  const read = evidence.journals.map((journal) => ({ name: journal.name, ...readJournal(journal) }));
  const run: Run = { evidence, log, story: tellStory(log), journals: read };
  return [...faults, ...read.flatMap((journal) => journal.faults), ...CHECKS.flatMap((check) => check(run))];
}
