import type { Shown, Violation } from '../evidence.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';
import type { LogLine } from '../log.ts';
import { numberIn, statusOf, textIn } from '../story.ts';
import type { JournalLine } from '../journal.ts';

/** Slack's last word, the row and the log are one; and an end is what the agent's journal says it was. */
export function checkAgreement(run: Run): Violation[] {
  const { slack, database } = run.evidence;
  return [
    ...(slack === undefined ? [] : compareStates(run, 'slack', slack)),
    ...(database === undefined ? [] : compareStates(run, 'database', database)),
    ...compareResults(run),
    ...(run.evidence.underWay === undefined ? [] : findLostResults(run)),
  ];
}

function compareStates({ story }: Run, name: string, shown: readonly Shown[]): Violation[] {
  return collect((say) => {
    const told = new Set<string>();
    for (const [index, { action_id: id, status }] of shown.entries()) {
      const where = `${name}:${index + 1}`;
      const course = story.courses.get(id);
      const logged = course === undefined ? 'nothing' : statusOf(course);
      if (status !== logged) say('states_agree', where, `${id} is ${status} here, and ${logged} in the log`);
      if (told.has(id)) say('states_agree', where, `${id} stands here twice`);
      told.add(id);
    }
    for (const { id, requested } of story.courses.values()) {
      if (!told.has(id)) say('states_agree', requested.where, `${id} was asked for and is not in ${name}`);
    }
  });
}

const FAILED = ['action.failed', 'action.attempt_failed'];
const ENDS_OF_RESULTS: Readonly<Record<string, readonly string[]>> = {
  completed: ['action.completed'],
  failed: FAILED,
  timed_out: FAILED,
  interrupted: FAILED,
  refused: FAILED,
  cancelled: ['action.cancelled', 'action.failed'],
};

/** Of each command that ended its action or an attempt, both sides; a result that came too late ended nothing. */
function compareResults({ story, journals }: Run): Violation[] {
  const exits = new Map<string, JournalLine>();
  for (const line of journals.flatMap(({ lines }) => lines))
    if (line.kind === 'exited') exits.set(line.commandId, line);
  const known = new Set(journals.flatMap(({ lines }) => lines.map(({ commandId }) => commandId)));
  return collect((say) => {
    for (const { end, retried } of story.courses.values()) {
      for (const line of [...retried, end]) {
        if (line === null || !isByResult(line)) continue;
        const commandId = textIn(line, 'command_id');
        const exit = exits.get(commandId);
        const isUnknown = exit === undefined && known.has(commandId);
        if (isUnknown) say('results_agree', line.where, 'it has ended, and its journal does not know how');
        const difference = exit === undefined ? null : findDifference(line, exit);
        if (difference !== null) say('results_agree', line.where, `${difference} (${exit?.where ?? ''})`);
      }
    }
  });
}

/** At least one delivery of each result: it is acknowledged only once it is kept, and the log tells of each. */
function findLostResults({ log, story, journals }: Run): Violation[] {
  const told = new Set<string>();
  for (const { event, subject } of log)
    if (event.startsWith('command.') && event !== 'command.issued') told.add(subject.id);
  for (const { end, retried } of story.courses.values()) {
    for (const line of [...retried, end]) if (line !== null) told.add(textIn(line, 'command_id'));
  }
  return collect((say) => {
    for (const { lines } of journals) {
      const acknowledged = new Set(
        lines.filter(({ kind }) => kind === 'acknowledged').map(({ commandId }) => commandId),
      );
      for (const { kind, commandId, where } of lines) {
        if (kind !== 'exited') continue;
        if (!acknowledged.has(commandId)) say('results_agree', where, 'this end was never delivered');
        if (!told.has(commandId))
          say('results_agree', where, 'this end was acknowledged, and the log does not know it');
      }
    }
  });
}

/** `agent_lost` is what the control plane concludes without one. */
function isByResult(line: LogLine): boolean {
  return textIn(line, 'command_id') !== '' && textIn(line, 'code') !== 'agent_lost';
}

function findDifference(line: LogLine, { result }: JournalLine): string | null {
  if (result === null) return null;
  if (!(ENDS_OF_RESULTS[result.status] ?? []).includes(line.event)) return `the agent says ${result.status}`;
  const exitCode = numberIn(line, 'exit_code');
  if (result.exitCode !== (Number.isNaN(exitCode) ? null : exitCode)) return `the agent says exit ${result.exitCode}`;
  const isSameOutput = textIn(line, 'stdout_sha256') === result.stdoutDigest;
  return isSameOutput ? null : 'the agent has another output';
}
