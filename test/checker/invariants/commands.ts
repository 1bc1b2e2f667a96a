import type { Violation } from '../evidence.ts';
import type { JournalLine } from '../journal.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import type { Course, Issue } from '../story.ts';
import { findRetryBefore, numberIn, textIn, timeIn } from '../story.ts';

const CLOCK_MS = 100; // an attempt's time is written by one clock and read by another

/** Each start has exactly one signed command, of one attempt, for the server that it ran on. */
export function checkCommands(run: Run): Violation[] {
  return [...checkIssues(run), ...checkJournals(run), ...checkStartedEvents(run)];
}

function checkIssues({ story }: Run): Violation[] {
  return collect((say) => {
    for (const line of story.orphans) {
      say('start_has_one_command', line.where, `${line.event} is about an action that nobody asked for`);
    }
    const ids = new Set<string>();
    const attempts = new Set<string>();
    const lastSeq = new Map<string, number>();
    for (const { line, commandId, actionId, attempt, serverId, seq } of story.issues) {
      const key = `${actionId} ${attempt}`;
      if (ids.has(commandId)) say('start_has_one_command', line.where, `command ${commandId} was issued twice`);
      if (attempts.has(key))
        say('start_has_one_command', line.where, `attempt ${attempt} of ${actionId} has two commands`);
      if (seq <= (lastSeq.get(serverId) ?? 0)) {
        say(
          'start_has_one_command',
          line.where,
          `seq ${seq} does not follow ${lastSeq.get(serverId) ?? 0} of its server`,
        );
      }
      ids.add(commandId);
      attempts.add(key);
      lastSeq.set(serverId, seq);
    }
    for (const course of story.courses.values()) {
      for (const issue of course.issued) {
        const isSame = textIn(issue.line, 'playbook_digest') === textIn(course.requested, 'playbook_digest');
        if (!isSame) say('start_has_one_command', issue.line.where, 'it is of another playbook than was asked for');
        const fault = judgeAttempt(course, issue);
        if (fault !== null) say('start_has_one_command', issue.line.where, fault);
      }
    }
  });
}

/** A later attempt follows one that failed, not before its time, and not more often than was asked for. */
function judgeAttempt(course: Course, issue: Issue): string | null {
  const { attempt, line } = issue;
  const allowed = numberIn(course.requested, 'attempts');
  if (attempt > (Number.isNaN(allowed) ? 1 : allowed)) return `it is attempt ${attempt}, and ${allowed} were asked for`;
  if (attempt === 1) return null;
  const retry = findRetryBefore(course, issue);
  if (retry === undefined) return `attempt ${attempt} follows no attempt that failed`;
  return line.atMs + CLOCK_MS < timeIn(retry, 'next_attempt_at') ? `attempt ${attempt} came before its time` : null;
}

function checkJournals({ story, journals }: Run): Violation[] {
  const issues = new Map(story.issues.map((issue) => [issue.commandId, issue]));
  return collect((say) => {
    for (const journal of journals) {
      const servers = new Set<string>();
      for (const record of journal.lines) {
        const issue = issues.get(record.commandId);
        if (issue === undefined) {
          const isBegun = record.kind === 'received' || record.kind === 'intent' || record.kind === 'started';
          if (isBegun) say('start_has_one_command', record.where, `nobody issued command ${record.commandId}`);
          continue;
        }
        servers.add(issue.serverId);
        const difference = findDifference(record, issue);
        if (difference !== null) say('start_has_one_command', record.where, difference);
      }
      if (servers.size <= 1) continue;
      say('start_has_one_command', journal.name, `it holds commands of ${servers.size} servers`);
    }
  });
}

function findDifference(record: JournalLine, issue: Issue): string | null {
  if (record.kind !== 'received') return null;
  if (record.seq !== issue.seq) return `seq is ${record.seq}, and ${issue.seq} was issued`;
  if (record.attempt !== issue.attempt) return `attempt is ${record.attempt}, and ${issue.attempt} was issued`;
  if (record.kid !== issue.kid) return `it is signed by ${record.kid}, and was issued by ${issue.kid}`;
  return null;
}

function checkStartedEvents({ story }: Run): Violation[] {
  return collect((say) => {
    for (const course of story.courses.values()) {
      for (const line of course.started) {
        const issue = course.issued.find(({ commandId }) => commandId === textIn(line, 'command_id'));
        const isBefore = issue !== undefined && issue.line.seq < line.seq;
        if (!isBefore) say('start_has_one_command', line.where, 'it started without a command before it');
      }
    }
  });
}
