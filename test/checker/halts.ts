import type { LogLine } from './log.ts';
import type { Issue } from './story.ts';
import { textIn } from './story.ts';

/** Something that stops starting: everything, a tag's servers, or a playbook. */
export interface Halt {
  line: LogLine;
  /** When it is over, as far as the log tells. */
  endMs: number;
  covers(issue: Issue): boolean;
  /** Declared before it, and not over. */
  isInForce(line: LogLine): boolean;
}

export function listHalts(log: readonly LogLine[]): Halt[] {
  const tags = readTags(log);
  return log
    .filter(({ event }) => event === 'halt.declared')
    .map((line) => {
      const lifted = log.find(({ event, subject }) => event === 'halt.lifted' && subject.id === line.subject.id);
      const until = Date.parse(textIn(line, 'until'));
      const endMs = Math.min(lifted?.atMs ?? Infinity, Number.isNaN(until) ? Infinity : until);
      return {
        line,
        endMs,
        covers: (issue) => doesCover(line, issue, tags),
        isInForce: (later) => later.seq > line.seq && later.atMs < endMs && later.seq < (lifted?.seq ?? Infinity),
      };
    });
}

function doesCover(halt: LogLine, issue: Issue, tags: ReadonlyMap<string, readonly string[]>): boolean {
  const value = textIn(halt, 'value');
  switch (textIn(halt, 'scope')) {
    case 'all':
      return true;
    case 'playbook':
      return issue.playbook === value;
    case 'tag':
      return tags.get(issue.serverId)?.includes(value) ?? false;
    default:
      return false;
  }
}

/** By server: those that its enrolment token gave it. */
function readTags(log: readonly LogLine[]): Map<string, readonly string[]> {
  const byName = new Map<string, readonly string[]>();
  const byServer = new Map<string, readonly string[]>();
  for (const line of log) {
    const { event, data } = line;
    if (event === 'token.created' && Array.isArray(data['tags'])) {
      byName.set(textIn(line, 'server_name'), data['tags'].map(String));
    }
    if (event === 'server.enrolled') byServer.set(line.subject.id, byName.get(textIn(line, 'name')) ?? []);
  }
  return byServer;
}
