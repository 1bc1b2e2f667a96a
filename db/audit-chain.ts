import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { AuditEvent, AuditInput } from '../domain/audit.ts';
import type { Tables } from './tables.ts';

/**
 * Appends `inputs` in order, as the last statements of the transaction: whoever appends waits at the head row until
 * the one before has committed, so the chain has no gap and no fork, and `at` (taken under that lock) never runs
 * ahead of its place. Every other lock must be held already: nothing may be locked after this.
 */
export async function appendAuditEvents(kysely: Transaction<Tables>, inputs: readonly AuditInput[]): Promise<void> {
  if (inputs.length === 0) {
    return;
  }
  const head = await lockHead(kysely);
  const rows: { event: AuditEvent; body: string }[] = [];
  let prev = head.hash;
  for (const [index, input] of inputs.entries()) {
    const row = link({ input, prev, seq: head.seq + index + 1, at: head.at });
    rows.push(row);
    prev = row.event.hash;
  }
  await kysely
    .insertInto('audit_events')
    .values(
      rows.map(({ event, body }) => ({
        seq: event.seq,
        body,
        at: event.at,
        actor: event.actor,
        via: event.via,
        event: event.event,
        subject_type: event.subject.type,
        subject_id: event.subject.id,
      })),
    )
    .execute();
}

/** The clock is read above the lock: a materialized row exists only once the lock is held. */
async function lockHead(kysely: Transaction<Tables>): Promise<{ seq: number; hash: string; at: string }> {
  const { rows } = await sql<{ seq: number; hash: string; at: string }>`
    with head as materialized (select seq, hash from audit_head where id = 1 for update)
    select seq, hash, to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at from head
  `.execute(kysely);
  const head = rows[0];
  if (head === undefined) {
    throw new Error('The audit log has no head row: the database was not made by the migrations.');
  }
  return head;
}

function link({ input, prev, seq, at }: { input: AuditInput; prev: string; seq: number; at: string }): {
  event: AuditEvent;
  body: string;
} {
  const { actor, via, event, subject, data = {} } = input;
  // Through JSON first, so that what is hashed (no undefined, dates as text) is what a reader of the line sees.
  const content = JSON.parse(
    JSON.stringify({ seq, at, actor, via, event, subject: { type: subject.type, id: subject.id }, data, prev }),
    storable,
  ) as Omit<AuditEvent, 'hash'>;
  const hash = `sha256:${createHash('sha256').update(toCanonicalJson(content)).digest('hex')}`;
  const linked = { ...content, hash };
  return { event: linked, body: toCanonicalJson(linked) };
}

/** RFC 8785 knows no lone surrogates and PostgreSQL no NUL; what somebody typed must not keep an event from being told. */
function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value;
}

function toCanonicalJson(value: object): string {
  const text = canonicalize(value);
  if (text === undefined) {
    throw new TypeError('An audit event must be a JSON object.');
  }
  return text;
}
