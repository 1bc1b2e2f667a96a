import type { Violation } from '../evidence.ts';
import type { LogLine } from '../log.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import type { Course, Issue } from '../story.ts';
import { findRetryBefore, textIn } from '../story.ts';

/** From the pause of a server to its end, by their places in the log. */
interface Pause {
  server: string;
  line: LogLine;
  endSeq: number;
}

/**
 * Nothing passes a pause that no person approved: on a paused server nothing is asked for that needs nobody, `auto`
 * approves nothing, and nothing of it is issued; and what waited when the pause began is not issued after its end either.
 */
export function checkPauses({ log, story }: Run): Violation[] {
  const pauses = listPauses(log);
  return collect((say) => {
    for (const course of story.courses.values()) {
      const here = pauses.filter(({ server }) => server === textIn(course.requested, 'server'));
      const during = (line: LogLine): Pause | undefined => here.find((pause) => isWithin(pause, line));
      const { requested, approved, approvalsRequired } = course;
      if (approvalsRequired === 0 && during(requested) !== undefined) {
        say('no_start_after_stop', requested.where, 'nobody has to approve it, and its server is paused');
      }
      if (approved?.actor !== 'auto') continue;
      if (during(approved) !== undefined) {
        say('no_start_after_stop', approved.where, 'auto approved it, and its server is paused');
      }
      for (const issue of course.issued) {
        const fault = judgeIssue(course, issue, here);
        if (fault !== null) say('no_start_after_stop', issue.line.where, fault);
      }
    }
  });
}

/** Of what `auto` approved. */
function judgeIssue(course: Course, issue: Issue, pauses: readonly Pause[]): string | null {
  if (pauses.some((pause) => isWithin(pause, issue.line))) return 'auto approved it, and its server is paused';
  const owed = issue.attempt === 1 ? course.requested : findRetryBefore(course, issue);
  if (owed === undefined) return null;
  const passed = pauses.find(({ line }) => owed.seq < line.seq && line.seq < issue.line.seq);
  return passed === undefined ? null : `it waited when its server was paused (${passed.line.where})`;
}

function isWithin({ line: { seq }, endSeq }: Pause, line: LogLine): boolean {
  return seq < line.seq && line.seq < endSeq;
}

/** Paused again while it is paused, it is one pause. */
function listPauses(log: readonly LogLine[]): Pause[] {
  const open = new Map<string, Pause>();
  const pauses: Pause[] = [];
  for (const line of log) {
    const { id } = line.subject;
    const pause = open.get(id);
    if (line.event === 'server.paused' && pause === undefined) {
      const begun = { server: textIn(line, 'name'), line, endSeq: Infinity };
      open.set(id, begun);
      pauses.push(begun);
    }
    if (line.event === 'server.unpaused' && pause !== undefined) {
      pause.endSeq = line.seq;
      open.delete(id);
    }
  }
  return pauses;
}
