import type { LogLine } from './log.ts';

/** What the log tells of one action. */
export interface Course {
  id: string;
  requested: LogLine;
  requester: string;
  approvalsRequired: number;
  /** People's approvals, counted or not the last one; `auto` stands in `approved` alone. */
  approvals: LogLine[];
  /** The event that made it approved. */
  approved: LogLine | null;
  breakGlass: LogLine | null;
  cancelRequested: LogLine | null;
  issued: Issue[];
  started: LogLine[];
  /** The attempts that failed and are followed by another. */
  retried: LogLine[];
  /** The first event that ends it. */
  end: LogLine | null;
  /** Those of its lifecycle that stand behind the end. */
  afterEnd: LogLine[];
  /** What became of it as a dead letter: replayed, or dismissed. */
  settled: LogLine[];
}

/** A command that was handed out for the first time. */
export interface Issue {
  line: LogLine;
  commandId: string;
  actionId: string;
  serverId: string;
  attempt: number;
  seq: number;
  kid: string;
  playbook: string;
}

export interface Story {
  courses: Map<string, Course>;
  /** In the order of the log; the same id twice is two entries. */
  issues: Issue[];
  /** Events about actions that nobody asked for. */
  orphans: LogLine[];
}

const ENDS = new Map([
  ['action.completed', 'completed'],
  ['action.failed', 'failed'],
  ['action.rejected', 'rejected'],
  ['action.expired', 'expired'],
  ['action.cancelled', 'cancelled'],
]);

const SETTLINGS: ReadonlySet<string> = new Set(['action.replayed', 'action.dismissed']);

export function tellStory(log: readonly LogLine[]): Story {
  const story: Story = { courses: new Map(), issues: [], orphans: [] };
  for (const line of log) {
    if (line.event === 'action.requested') story.courses.set(line.subject.id, beginCourse(line));
    else if (line.event === 'command.issued') addIssue(story, line);
    else if (line.event.startsWith('action.')) addToCourse(story, line);
  }
  return story;
}

/** The last state that the log tells. */
export function statusOf(course: Course): string {
  if (course.end !== null) return ENDS.get(course.end.event) ?? 'unknown';
  if (course.started.length > 0 || course.retried.length > 0) return 'executing';
  return course.approved === null ? 'pending' : 'approved';
}

export function numberIn(line: LogLine, name: string): number {
  const value = line.data[name];
  return typeof value === 'number' ? value : NaN;
}

export function textIn(line: LogLine, name: string): string {
  const value = line.data[name];
  return typeof value === 'string' ? value : '';
}

/** NaN where there is none. */
export function timeIn(line: LogLine, name: string): number {
  return Date.parse(textIn(line, name));
}

/** What let this attempt follow; undefined for the first one, and where nothing did. */
export function findRetryBefore({ retried }: Course, { attempt, line }: Issue): LogLine | undefined {
  return retried.find((earlier) => earlier.seq < line.seq && numberIn(earlier, 'attempt') === attempt - 1);
}

function beginCourse(line: LogLine): Course {
  return {
    id: line.subject.id,
    requested: line,
    requester: line.actor,
    approvalsRequired: numberIn(line, 'approvals_required'),
    approvals: [],
    approved: null,
    breakGlass: null,
    cancelRequested: null,
    issued: [],
    started: [],
    retried: [],
    end: null,
    afterEnd: [],
    settled: [],
  };
}

function addIssue(story: Story, line: LogLine): void {
  const issue: Issue = {
    line,
    commandId: line.subject.id,
    actionId: textIn(line, 'action_id'),
    serverId: textIn(line, 'server_id'),
    attempt: numberIn(line, 'attempt'),
    seq: numberIn(line, 'seq'),
    kid: textIn(line, 'kid'),
    playbook: textIn(line, 'playbook'),
  };
  story.issues.push(issue);
  const course = story.courses.get(issue.actionId);
  if (course === undefined) story.orphans.push(line);
  else course.issued.push(issue);
}

function addToCourse(story: Story, line: LogLine): void {
  const course = story.courses.get(line.subject.id);
  if (course === undefined) {
    story.orphans.push(line);
    return;
  }
  if (SETTLINGS.has(line.event)) {
    course.settled.push(line);
    return;
  }
  if (course.end !== null) course.afterEnd.push(line);
  if (ENDS.has(line.event)) course.end ??= line;
  const isApproval = line.event === 'action.approved' || line.event === 'action.approval_added';
  if (isApproval && line.actor !== 'auto') course.approvals.push(line);
  if (line.event === 'action.approved') course.approved ??= line;
  if (line.event === 'action.break_glass') course.breakGlass ??= line;
  if (line.event === 'action.cancel_requested') course.cancelRequested ??= line;
  if (line.event === 'action.started') course.started.push(line);
  if (line.event === 'action.attempt_failed') course.retried.push(line);
}
