import type { Violation } from '../evidence.ts';
import type { LogLine } from '../log.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import type { Course } from '../story.ts';
import { numberIn, timeIn } from '../story.ts';

const GRACE_S = 60; // for an agent's clock, and again for its answer (contract, section 5)
const USUALLY_LATE_S = 30; // a deadline is enforced within seconds

/** Each accepted request ends, within the bounds that it was asked with, and nothing moves it afterwards. */
export function checkEnds({ story, log, evidence }: Run): Violation[] {
  const nowMs = log.at(-1)?.atMs ?? 0;
  const lateMs = (evidence.lateS ?? USUALLY_LATE_S) * 1000;
  return collect((say) => {
    for (const course of story.courses.values()) {
      for (const line of course.afterEnd) {
        say('ends_once', line.where, `${line.event} came after its end, ${course.end?.event ?? ''}`);
      }
      const { where } = course.end ?? course.requested;
      const isLost = course.end === null && evidence.underWay?.includes(course.id) === false;
      if (isLost) say('ends_in_time', where, `${course.id} never ended`);
      const fault = findDelay(course, { nowMs, lateMs });
      if (fault !== null) say('ends_in_time', where, fault);
    }
  });
}

/** From each event of its way, until when the next one must have come. */
function findDelay(course: Course, input: { nowMs: number; lateMs: number }): string | null {
  const { requested, approved, started, retried, end } = course;
  const bounds = ['approval_timeout_s', 'start_within_s', 'timeout_s'].map((name) => numberIn(requested, name));
  const [approveS = NaN, startS = NaN, runS = NaN] = bounds;
  if (bounds.some(Number.isNaN)) return 'it was asked without its bounds';
  const way: { line: LogLine; withinS: number }[] = [{ line: requested, withinS: approveS }];
  if (approved !== null) way.push({ line: approved, withinS: startS + GRACE_S });
  for (const line of started) way.push({ line, withinS: runS + GRACE_S });
  for (const line of retried) way.push({ line, withinS: (timeIn(line, 'expires_at') - line.atMs) / 1000 + GRACE_S });
  way.sort((left, right) => left.line.seq - right.line.seq);
  for (const [index, { line, withinS }] of way.entries()) {
    const next = way[index + 1]?.line ?? end;
    const latestMs = line.atMs + withinS * 1000 + input.lateMs;
    if ((next?.atMs ?? input.nowMs) <= latestMs) continue; // a bound that cannot be read is not kept
    return `nothing came within ${withinS} s of ${line.event} (${line.where})`;
  }
  return null;
}
