import type { Violation } from '../evidence.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import type { Halt } from '../halts.ts';
import { listHalts } from '../halts.ts';
import type { Course, Issue } from '../story.ts';
import { findRetryBefore, numberIn, timeIn } from '../story.ts';

const CLOCK_MS = 2_000; // what an agent's idea of the control plane's clock may be off, on machines that keep time
const COMMAND_LIFE_MS = 60_000; // a signature is good for so long: an agent that is cut off may still start by it

/** Nothing starts after an expiry, a rejection, a cancellation or a halt. */
export function checkStops(run: Run): Violation[] {
  return [...checkIssues(run), ...checkIntents(run)];
}

function checkIssues(run: Run): Violation[] {
  const halts = listHalts(run.log);
  return collect((say) => {
    for (const course of run.story.courses.values()) {
      for (const issue of course.issued) {
        const fault = findStop(course, issue);
        if (fault !== null) say('no_start_after_stop', issue.line.where, fault);
        const halt = halts.find((one) => doesStop(one, course, issue));
        if (halt !== undefined)
          say('no_start_after_stop', issue.line.where, `the halt of ${halt.line.where} forbids it`);
      }
    }
  });
}

function findStop(course: Course, issue: Issue): string | null {
  const { end, cancelRequested } = course;
  const { line } = issue;
  if (end !== null && end.seq < line.seq) return `it was issued after ${end.event} (${end.where})`;
  if (cancelRequested !== null && cancelRequested.seq < line.seq) return 'it was issued after somebody cancelled it';
  if (line.atMs > latestStart(course, issue)) return 'it was issued when the time to start was over';
  return null;
}

function latestStart(course: Course, issue: Issue): number {
  const { approved, requested } = course;
  const retry = findRetryBefore(course, issue);
  if (retry !== undefined) return timeIn(retry, 'expires_at') + CLOCK_MS;
  if (approved === null) return Infinity;
  return approved.atMs + numberIn(requested, 'start_within_s') * 1000 + CLOCK_MS;
}

/** While it stands; and afterwards what was approved, or to be tried again, by then: a lift releases nothing. */
function doesStop(halt: Halt, course: Course, issue: Issue): boolean {
  if (!halt.covers(issue) || issue.line.seq < halt.line.seq) return false;
  if (halt.isInForce(issue.line)) return true;
  const owed = issue.attempt === 1 ? course.approved : findRetryBefore(course, issue);
  return owed !== null && owed !== undefined && owed.atMs < halt.endMs;
}

/** By the agent's own word on when it began. */
function checkIntents(run: Run): Violation[] {
  const halts = listHalts(run.log);
  const issues = new Map(run.story.issues.map((issue) => [issue.commandId, issue]));
  return collect((say) => {
    for (const record of run.journals.flatMap(({ lines }) => lines)) {
      const issue = issues.get(record.commandId);
      const course = issue === undefined ? undefined : run.story.courses.get(issue.actionId);
      if (record.kind !== 'intent' || issue === undefined || course === undefined) continue;
      const endMs = course.end?.atMs ?? Infinity;
      if (record.atMs > endMs + CLOCK_MS) say('no_start_after_stop', record.where, 'it was begun after its end');
      if (record.atMs > latestStart(course, issue)) say('no_start_after_stop', record.where, 'it was begun too late');
      const halt = halts.find((one) => one.covers(issue) && isWithin(one, record.atMs));
      if (halt !== undefined) say('no_start_after_stop', record.where, `it was begun under ${halt.line.where}`);
    }
  });
}

function isWithin({ line, endMs }: Halt, atMs: number): boolean {
  return atMs > line.atMs + COMMAND_LIFE_MS + CLOCK_MS && atMs < endMs;
}
