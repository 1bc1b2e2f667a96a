import type { Violation } from '../evidence.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import type { LogLine } from '../log.ts';
import type { Course, Issue } from '../story.ts';
import { textIn } from '../story.ts';

/** At most one command of a server is out at a time, and at most one runs there. */
export function checkOneAtATime(run: Run): Violation[] {
  return [...checkJournals(run), ...checkLog(run)];
}

function checkJournals({ journals }: Run): Violation[] {
  return collect((say) => {
    for (const { lines } of journals) {
      const open = new Set<string>();
      for (const { kind, commandId, where } of lines) {
        if (kind === 'exited') open.delete(commandId);
        if (kind !== 'intent') continue;
        const [other] = [...open].filter((id) => id !== commandId);
        if (other !== undefined) say('one_at_a_time', where, `it was begun while ${other} had not ended`);
        open.add(commandId);
      }
    }
  });
}

function checkLog({ story, log }: Run): Violation[] {
  const issues = new Map(story.issues.map((issue) => [issue.line.seq, issue]));
  const out = new Map<string, Issue>();
  return collect((say) => {
    for (const line of log) {
      const issue = issues.get(line.seq);
      if (issue === undefined) continue;
      const earlier = out.get(issue.serverId);
      if (earlier !== undefined && !isOver(earlier, story.courses.get(earlier.actionId), line)) {
        say('one_at_a_time', line.where, `it was issued while command ${earlier.commandId} was still out`);
      }
      out.set(issue.serverId, issue);
    }
  });
}

/** Ended with its action, or as an attempt that another one follows. */
function isOver({ commandId }: Issue, course: Course | undefined, line: LogLine): boolean {
  if (course === undefined) return false;
  const ends = course.retried.filter((retry) => textIn(retry, 'command_id') === commandId);
  return [...ends, course.end].some((end) => end !== null && end.seq < line.seq);
}
