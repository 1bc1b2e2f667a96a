import { canonicalize, sha256 } from './canonical-json.ts';
import type { Click, Evidence, Shown } from './evidence.ts';

const BEGINNING_MS = Date.parse('2026-01-01T00:00:00.000Z');
const DIGEST = `sha256:${'a'.repeat(64)}`;
export const OUTPUT = `sha256:${'b'.repeat(64)}`;

export interface HandMadeEvent {
  /** Seconds after the beginning. */
  s: number;
  actor: string;
  event: string;
  subject: { type: string; id: string };
  data: Record<string, unknown>;
}

export type HandMadeRecord = Record<string, unknown> & { kind: string; command_id: string };

/** A run before its log is chained and its journal is framed: what a test spoils. */
export interface HandMadeRun {
  events: HandMadeEvent[];
  journals: Record<string, HandMadeRecord[]>;
  slack: Shown[];
  database: Shown[];
  clicks: Click[];
  processes: string[];
}

/** Seconds after the beginning, as the log and the journal write it. */
export function at(s: number): string {
  return new Date(BEGINNING_MS + s * 1000).toISOString();
}

/** Four actions on one server without a fault: approved by bob, approved by auto, rejected by cid, withdrawn by ana. */
export function makeGoodRun(): HandMadeRun {
  const ends = { a1: 'completed', a2: 'completed', a3: 'rejected', a4: 'cancelled' };
  const shown = Object.entries(ends).map(([action_id, status]) => ({ action_id, status }));
  return {
    events: [
      request('a1', { s: 1, approvals: 1 }),
      request('a2', { s: 1, approvals: 0 }),
      onAction('a2', { s: 2, actor: 'auto', event: 'action.approved', data: { rule: 'Approved by auto: rule 3.' } }),
      ...run({ id: 'a2', command: 'c2', seq: 1, s: 3, by: ['auto'] }),
      onAction('a1', { s: 6, actor: 'bob', event: 'action.approved', data: { decision_id: 'd1', approvals: 1 } }),
      ...run({ id: 'a1', command: 'c1', seq: 2, s: 7, by: ['bob'] }),
      request('a3', { s: 10, approvals: 1 }),
      onAction('a3', { s: 11, actor: 'cid', event: 'action.rejected', data: { decision_id: 'd3' } }),
      request('a4', { s: 12, approvals: 1 }),
      onAction('a4', { s: 13, actor: 'ana', event: 'action.cancelled', data: {} }),
    ],
    journals: { 'web-1': [...records({ command: 'c2', seq: 1, s: 3 }), ...records({ command: 'c1', seq: 2, s: 7 })] },
    slack: [...shown],
    database: [...shown],
    processes: ['c2', 'c1'],
    clicks: [
      { action_id: 'a1', kind: 'request', who: 'ana', at: at(1) },
      { action_id: 'a1', kind: 'approve', who: 'bob', at: at(6), decision_id: 'd1' },
      { action_id: 'a3', kind: 'reject', who: 'cid', at: at(11), decision_id: 'd3' },
      { action_id: 'a4', kind: 'cancel', who: 'ana', at: at(13) },
    ],
  };
}

export function seal(run: HandMadeRun): Evidence {
  const audit = chain(run.events);
  const { hash } = JSON.parse(audit.at(-1) ?? '{}') as { hash: string };
  return {
    audit,
    journals: Object.entries(run.journals).map(([name, list]) => ({ name, lines: list.map(frame) })),
    ...{ slack: run.slack, database: run.database, clicks: run.clicks, processes: run.processes },
    witnesses: [{ count: audit.length, head: hash }],
    underWay: [],
  };
}

function chain(events: readonly HandMadeEvent[]): string[] {
  let prev = `sha256:${'0'.repeat(64)}`;
  return events.map(({ s, ...event }, index) => {
    const line = { seq: index + 1, at: at(s), via: 'api', ...event, prev };
    prev = `sha256:${sha256(canonicalize(line))}`;
    return canonicalize({ ...line, hash: prev });
  });
}

function frame(record: HandMadeRecord): string {
  const text = JSON.stringify(record);
  return `{"sum":"${sha256(text).slice(0, 16)}","record":${text}}`;
}

export function onAction(id: string, event: Omit<HandMadeEvent, 'subject'>): HandMadeEvent {
  return { ...event, subject: { type: 'action', id } };
}

export function request(id: string, input: { s: number; approvals: number }): HandMadeEvent {
  const bounds = { approval_timeout_s: 60, start_within_s: 60, timeout_s: 20 };
  const asked = { server: 'web-1', playbook: 'restart-service', playbook_digest: DIGEST };
  const data = { ...asked, ...bounds, approvals_required: input.approvals };
  return onAction(id, { s: input.s, actor: 'ana', event: 'action.requested', data });
}

/** Handed out, started and completed, a second apart. */
export function run(input: { id: string; command: string; seq: number; s: number; by: string[] }): HandMadeEvent[] {
  const { id, command, seq, s, by } = input;
  const issued = {
    ...{ action_id: id, server_id: 'S1', attempt: 1, seq, kid: 'k1' },
    ...{ playbook: 'restart-service', playbook_digest: DIGEST, exp: at(s + 60) },
    approvals: by.map((name) => ({ by: name, at: at(s) })),
  };
  const about = { command_id: command, attempt: 1 };
  const end = { ...about, exit_code: 0, signal: null, code: null, stdout_sha256: OUTPUT };
  return [
    { s, actor: 'system', event: 'command.issued', subject: { type: 'command', id: command }, data: issued },
    onAction(id, { s: s + 1, actor: 'S1', event: 'action.started', data: about }),
    onAction(id, { s: s + 2, actor: 'S1', event: 'action.completed', data: end }),
  ];
}

export function records(input: { command: string; seq: number; s: number }): HandMadeRecord[] {
  const { command: command_id, seq, s } = input;
  const result = { command_id, attempt: 1, status: 'completed', exit_code: 0, stdout_sha256: OUTPUT };
  const place = { pid: 1, start_ticks: 1, boot_id: 'boot' };
  return [
    { kind: 'received', command_id, attempt: 1, kid: 'k1', seq, at: at(s) },
    { kind: 'intent', command_id, at: at(s) },
    { kind: 'started', command_id, ...place, step: 1, at: at(s + 1) },
    { kind: 'exited', command_id, result },
    { kind: 'acknowledged', command_id },
  ];
}
