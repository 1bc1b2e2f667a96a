import type { Evidence } from './evidence.ts';
import type { HandMadeEvent, HandMadeRecord, HandMadeRun } from './hand-made-run.ts';
import { at, onAction, OUTPUT, records, request, run, seal } from './hand-made-run.ts';
import type { Invariant } from './run.ts';

/** An invariant, by what it is broken, and how. */
export type BrokenRun = [invariant: Invariant, what: string, spoil: Spoil];

/** Changes the run, or answers with evidence that no honest run could leave. */
export type Spoil = (made: HandMadeRun) => Partial<Evidence> | undefined;

export const eventOf = (made: HandMadeRun, event: string, id: string): HandMadeEvent => {
  const found = made.events.find((one) => one.event === event && one.subject.id === id);
  if (found === undefined) throw new Error(`no ${event} of ${id}`);
  return found;
};
export const recordOf = (made: HandMadeRun, kind: string, id: string): HandMadeRecord => {
  const found = made.journals['web-1']?.find((one) => one.kind === kind && one.command_id === id);
  if (found === undefined) throw new Error(`no ${kind} of ${id}`);
  return found;
};
export const drop = <T>(list: T[] | undefined, item: T): void => void list?.splice(list.indexOf(item), 1);
export const changeLine = (made: HandMadeRun, index: number, change: (line: string) => string): Partial<Evidence> => {
  const { audit, witnesses: _witnesses, ...rest } = seal(made);
  return { ...rest, audit: audit.with(index, change(audit[index] ?? '')) };
};
/** Something later, long after all else has ended. */
export const addLate = (made: HandMadeRun, ...events: HandMadeEvent[]): undefined => void made.events.push(...events);
/** Another action, which fails at its first attempt and completes at its second. */
export function addRetry(made: HandMadeRun): void {
  const asked = request('a5', { s: 20, approvals: 0 });
  const approval = { s: 21, actor: 'auto', event: 'action.approved', data: { rule: 'Approved by auto: rule 3.' } };
  const [issued, started] = run({ id: 'a5', command: 'c5', seq: 3, s: 22, by: ['auto'] });
  const second = run({ id: 'a5', command: 'c6', seq: 4, s: 30, by: ['auto'] });
  if (issued === undefined || started === undefined) throw new Error('a run is handed out and started');
  const times = { next_attempt_at: at(29), expires_at: at(89) };
  const failed = { command_id: 'c5', attempt: 1, code: 'exit_nonzero', exit_code: 3, stdout_sha256: OUTPUT, ...times };
  asked.data['attempts'] = 2;
  for (const { data } of second) data['attempt'] = 2;
  const end = onAction('a5', { s: 24, actor: 'S1', event: 'action.attempt_failed', data: failed });
  made.events.push(asked, onAction('a5', approval), issued, started, end, ...second);
  const [first, again] = [records({ command: 'c5', seq: 3, s: 22 }), records({ command: 'c6', seq: 4, s: 30 })];
  for (const record of first)
    if (record.kind === 'exited') record['result'] = { status: 'failed', exit_code: 3, stdout_sha256: OUTPUT };
  for (const record of again) if (record.kind === 'received') record['attempt'] = 2;
  made.journals['web-1']?.push(...first, ...again);
  for (const list of [made.slack, made.database]) list.push({ action_id: 'a5', status: 'completed' });
  made.processes.push('c5', 'c6');
}

/** A dead letter, and an action that asks for it again; both expired, as no agent came. */
export function addReplay(made: HandMadeRun, { old, id }: { old: string; id: string }): void {
  if (!made.events.some(({ event, subject }) => event === 'action.requested' && subject.id === old)) expire(made, old);
  const data = { replayed_as: id };
  addLate(made, onAction(old, { s: 30, actor: 'bob', event: 'action.replayed', data }));
  expire(made, id);
  eventOf(made, 'action.requested', id).data['replay_of'] = old;
}

function expire(made: HandMadeRun, id: string): void {
  const s = Math.max(...made.events.map((event) => event.s));
  const expired = onAction(id, { s, actor: 'system', event: 'action.expired', data: { code: 'agent_offline' } });
  addLate(made, request(id, { s, approvals: 1 }), expired);
  for (const list of [made.slack, made.database]) list.push({ action_id: id, status: 'expired' });
}

export const halt = (s: number, data: object): HandMadeEvent => ({
  s,
  actor: 'root',
  event: 'halt.declared',
  subject: { type: 'halt', id: 'h1' },
  data: { value: null, until: null, ...data },
});
export const pause = (s: number, event: 'paused' | 'unpaused' = 'paused'): HandMadeEvent => ({
  s,
  actor: 'bob',
  event: `server.${event}`,
  subject: { type: 'server', id: 'S1' },
  data: { name: 'web-1' },
});
/** Right before another event. */
export const addBefore = (made: HandMadeRun, next: HandMadeEvent, ...events: HandMadeEvent[]): undefined =>
  void made.events.splice(made.events.indexOf(next), 0, ...events);
