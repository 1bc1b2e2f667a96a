import type { Violation } from '../evidence.ts';
import type { LogLine } from '../log.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import type { Course, Story } from '../story.ts';
import { textIn } from '../story.ts';

/** What was given up on is replayed or dismissed, once; and a replay is an action of its own, known on both sides. */
export function checkDeadLetters({ story }: Run): Violation[] {
  return collect((say) => {
    for (const course of story.courses.values()) {
      for (const [index, line] of course.settled.entries()) {
        if (index > 0) say('settled_once', line.where, `${course.id} was replayed or dismissed before`);
        const fault = judgeSettling(course, line, story);
        if (fault !== null) say('settled_once', line.where, fault);
      }
      const old = textIn(course.requested, 'replay_of');
      if (old === '' || listReplays(story.courses.get(old)).includes(course.id)) continue;
      say('settled_once', course.requested.where, `it replays ${old}, of which the log does not know it`);
    }
  });
}

function judgeSettling({ id, end }: Course, line: LogLine, { courses }: Story): string | null {
  if (end === null || end.seq > line.seq || !isGivenUp(end)) return `${id} was not given up on`;
  if (line.event !== 'action.replayed') return null;
  const replay = courses.get(textIn(line, 'replayed_as'));
  if (replay === undefined) return `nobody asked for the replay of ${id}`;
  return textIn(replay.requested, 'replay_of') === id ? null : `${replay.id} is no replay of ${id}`;
}

/** What nobody decided was not given up on. */
function isGivenUp(end: LogLine): boolean {
  return (
    end.event === 'action.failed' || (end.event === 'action.expired' && textIn(end, 'code') !== 'approval_timeout')
  );
}

function listReplays(course: Course | undefined): string[] {
  return (course?.settled ?? []).map((line) => textIn(line, 'replayed_as'));
}
