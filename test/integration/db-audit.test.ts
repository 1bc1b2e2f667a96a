import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GENESIS_HASH } from '../../domain/audit.ts';
import type { AuditEventName } from '../../domain/audit.ts';
import { arrange } from '../support/arrange.ts';
import { listAuditAfter, listAuditOf, readAuditHead } from '../../db/repositories/audit.repository.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

/** The line without its hash; keys of these events are plain ASCII, so sorting them is RFC 8785. */
function withoutHash(line: string): string {
  return line.replace(/"hash":"sha256:[0-9a-f]{64}",/, '');
}

describe('the audit log', () => {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  const append = (id: string, ...events: AuditEventName[]) =>
    arrange(db.database, async (tx) => {
      for (const event of events) {
        tx.audit({ actor: 'ana', via: 'slack', event, subject: { type: 'action', id }, data: { reason: 'é\0\ud800' } });
      }
    });

  test('has no gap and no fork after many writers at once, and every hash can be computed again', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => append(`a${index}`, 'action.requested', 'action.approved')),
    );
    const lines = await listAuditAfter(db.database, { after: 0, limit: 1000 });
    expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    let prev = GENESIS_HASH;
    let at = '';
    for (const { seq, body } of lines) {
      const event = JSON.parse(body) as { seq: number; at: string; prev: string; hash: string };
      expect(event).toMatchObject({ seq, prev });
      expect(event.hash).toBe(`sha256:${createHash('sha256').update(withoutHash(body)).digest('hex')}`);
      expect(event.at >= at).toBe(true);
      expect(event.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      prev = event.hash;
      at = event.at;
    }
    expect(await readAuditHead(db.database)).toEqual({ seq: 80, hash: prev });
  });

  test('keeps the order of the events of one transaction', async () => {
    await append('ordered', 'action.requested', 'action.approved', 'command.issued');
    const lines = await listAuditOf(db.database, { type: 'action', id: 'ordered' });
    expect(lines.map(({ body }) => (JSON.parse(body) as { event: string }).event)).toEqual([
      'action.requested',
      'action.approved',
      'command.issued',
    ]);
  });

  test('forgets the event where the change was rolled back, and leaves no gap', async () => {
    const before = await readAuditHead(db.database);
    await expect(
      arrange(db.database, async (tx) => {
        tx.audit({ actor: 'ana', via: 'api', event: 'server.paused', subject: { type: 'server', id: 's' } });
        throw new Error('the change failed');
      }),
    ).rejects.toThrow('the change failed');
    expect(await readAuditHead(db.database)).toEqual(before);
    await append('after', 'action.requested');
    expect((await readAuditHead(db.database)).seq).toBe(before.seq + 1);
  });

  test('wakes those who listen at the commit, once for each payload', async () => {
    const client = await db.database.pool.connect();
    const heard: (string | undefined)[] = [];
    client.on('notification', ({ payload }) => heard.push(payload));
    await client.query('listen medic_wake');
    await arrange(db.database, async (tx) => {
      tx.notify('medic_wake', 's1');
      tx.notify('medic_wake', 's1');
      tx.notify('medic_wake', 's2');
    });
    await client.query('select 1');
    client.release(true);
    expect(heard.toSorted()).toEqual(['s1', 's2']);
  });
});
