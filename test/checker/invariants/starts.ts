import type { Violation } from '../evidence.ts';
import type { JournalLine } from '../journal.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import { numberIn } from '../story.ts';

/** At most one start per attempt, and each is announced on disk before it is made. */
export function checkStarts(run: Run): Violation[] {
  return [...checkRecords(run), ...checkProcesses(run)];
}

/** What really ran, by the word of neither agent nor control plane. */
function checkProcesses({ evidence, journals }: Run): Violation[] {
  const begun = new Set<string>();
  for (const { kind, commandId } of journals.flatMap(({ lines }) => lines)) if (kind === 'intent') begun.add(commandId);
  return collect((say) => {
    const seen = new Set<string>();
    for (const [index, commandId] of (evidence.processes ?? []).entries()) {
      const where = `processes:${index + 1}`;
      if (seen.has(commandId)) say('starts_once', where, `command ${commandId} was started a second time`);
      if (!begun.has(commandId)) say('starts_once', where, `no journal knows that command ${commandId} was begun`);
      seen.add(commandId);
    }
  });
}

function checkRecords({ story, journals }: Run): Violation[] {
  return collect((say) => {
    const holders = new Map<string, string>();
    for (const journal of journals) {
      for (const [commandId, records] of groupByCommand(journal.lines)) {
        for (const { invariant, where, sentence } of judgeRecords(records)) say(invariant, where, sentence);
        if (!records.some(({ kind }) => kind === 'intent')) continue;
        const other = holders.get(commandId);
        if (other !== undefined)
          say('starts_once', journal.name, `command ${commandId} was begun here and in ${other}`);
        holders.set(commandId, journal.name);
      }
    }
    for (const course of story.courses.values()) {
      const attempts = course.started.map((line) => numberIn(line, 'attempt'));
      if (new Set(attempts).size === attempts.length) continue;
      say('starts_once', course.started.at(-1)?.where ?? '', `an attempt of ${course.id} is told as started twice`);
    }
  });
}

function groupByCommand(lines: readonly JournalLine[]): Map<string, JournalLine[]> {
  const groups = new Map<string, JournalLine[]>();
  for (const line of lines) groups.set(line.commandId, [...(groups.get(line.commandId) ?? []), line]);
  return groups;
}

interface Finding {
  invariant: 'starts_once' | 'journal_in_order';
  where: string;
  sentence: string;
}

/** Of one command, in the order of the file. A step that is waited for may begin again, the first one never. */
function judgeRecords(records: readonly JournalLine[]): Finding[] {
  const found: Finding[] = [];
  const seen = new Set<string>();
  let step = 0;
  let bootId = '';
  for (const record of records) {
    const { kind, where } = record;
    const say = (invariant: Finding['invariant'], sentence: string): void =>
      void found.push({ invariant, where, sentence });
    const isFirst = !seen.has(kind);
    if (kind === 'intent' && !isFirst) say('starts_once', 'it was begun a second time');
    if (kind === 'received' && !isFirst) say('starts_once', 'it was taken as new a second time');
    if (kind === 'started') {
      if (!seen.has('intent')) say('journal_in_order', 'a process was started before its intent was on disk');
      if (seen.has('exited')) say('starts_once', 'a process was started after its end');
      if (step >= (record.step ?? 0) && (record.step ?? 0) <= 1) say('starts_once', 'its first step was started again');
      if (step > (record.step ?? 0)) say('starts_once', 'an earlier step was started again');
      if (bootId !== '' && record.bootId !== bootId) say('starts_once', 'it was started again after a reboot');
      step = record.step ?? 0;
      bootId = record.bootId ?? '';
    }
    if (kind === 'intent' && !seen.has('received')) say('journal_in_order', 'it was begun before it was received');
    if (kind === 'exited' && !isFirst) say('journal_in_order', 'it has two ends');
    if (kind === 'exited' && !hasRightTo(record, seen)) say('journal_in_order', 'it ended without an intent');
    if (kind === 'acknowledged' && !seen.has('exited'))
      say('journal_in_order', 'an end was acknowledged that is not here');
    seen.add(kind);
  }
  return found;
}

/** Only what is refused ends without having been begun. */
function hasRightTo(record: JournalLine, seen: ReadonlySet<string>): boolean {
  return seen.has('intent') || record.result?.status === 'refused';
}
