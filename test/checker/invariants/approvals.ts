import type { Violation } from '../evidence.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import type { Course, Issue } from '../story.ts';
import { textIn } from '../story.ts';

/**
 * Before a command is issued, enough people have approved, each once and none of them the requester; or `auto` has, by
 * a rule that asks for nobody. What was signed is what the log holds.
 */
export function checkApprovals({ story }: Run): Violation[] {
  return collect((say) => {
    for (const course of story.courses.values()) {
      for (const issue of course.issued) {
        const fault = judgeApprovals(course, issue);
        if (fault !== null) say('start_was_approved', issue.line.where, fault);
      }
      for (const approval of course.approvals) {
        if (approval.actor !== course.requester) continue;
        say('start_was_approved', approval.where, `${approval.actor} approved what they asked for themselves`);
      }
    }
  });
}

function judgeApprovals(course: Course, issue: Issue): string | null {
  const { approved, requester, approvalsRequired } = course;
  if (approved === null || approved.seq > issue.line.seq) return 'it was issued before it was approved';
  const people = new Set(
    course.approvals.filter(({ seq, actor }) => seq < issue.line.seq && actor !== requester).map(({ actor }) => actor),
  );
  const signed = readSigned(issue);
  if (approved.actor === 'auto') {
    if (approvalsRequired !== 0) return `auto approved it, and it needs ${approvalsRequired} people`;
    if (textIn(approved, 'rule') === '') return 'auto approved it by no rule';
    return areSame(signed, new Set(['auto'])) ? null : `what was signed names ${[...signed].join(', ')}, not auto`;
  }
  const isGlassBroken = course.breakGlass !== null && course.breakGlass.seq < issue.line.seq;
  const needed = isGlassBroken ? 1 : Math.max(1, approvalsRequired);
  if (!(people.size >= needed))
    return `${people.size} people other than ${requester} approved it, and it needs ${needed}`;
  if (areSame(signed, people)) return null;
  return `what was signed names ${[...signed].join(', ')}, and ${[...people].join(', ')} approved it`;
}

function readSigned({ line }: Issue): Set<string> {
  const listed = Array.isArray(line.data['approvals']) ? (line.data['approvals'] as { by?: unknown }[]) : [];
  return new Set(listed.map(({ by }) => String(by)));
}

function areSame(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((name) => right.has(name));
}
