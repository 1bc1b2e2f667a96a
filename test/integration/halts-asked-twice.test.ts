import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import { createApi } from '../../api/create-api.ts';
import { ConflictError } from '../../domain/errors.ts';
import { listAudit } from '../../services/audit/read-audit.ts';
import { liftHalt } from '../../services/halts/lift-halt.ts';
import { listHalts, listStandingHalts } from '../../services/halts/read-halts.ts';
import { withIdempotency } from '../../services/idempotency.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';

let plane: TestControlPlane;
let api: FastifyInstance;
let authorization: string;

beforeAll(async () => {
  plane = await createTestControlPlane();
  api = await createApi({ ctx: plane.ctx });
  const { token } = await createToken(plane.ctx, plane.asker('root'), { principal: 'ana', role: 'operator' });
  authorization = `Bearer ${token}`;
});
afterAll(async () => {
  await api.close();
  await plane.stop();
});

const root = () => plane.asker('root');

afterEach(async () => {
  for (const { id } of await listStandingHalts(plane.ctx, root()))
    await liftHalt(plane.ctx, root(), { id: String(id) });
});

interface Answer {
  status: number;
  id: string;
  voided: number;
}

async function post(path: string, key: string, payload: object = { reason: 'no space' }): Promise<Answer> {
  const headers = { authorization, 'idempotency-key': key };
  const response = await api.inject({ method: 'POST', url: `/api/v1${path}`, headers, payload });
  return { status: response.statusCode, ...response.json<Omit<Answer, 'status'>>() };
}

async function countEvents(event: string, id: string): Promise<number> {
  const { items } = await listAudit(plane.ctx, root(), { limit: 1000 });
  return items.filter((one) => one.event === event && one.subject.id === id).length;
}

/** As it stands where a process died between the write and its answer, and half a minute has passed. */
async function forgetAnswer(key: string, effectId: string): Promise<void> {
  const { rowCount } = await plane.ctx.database.pool.query(
    `update idempotency_keys set status = null,
       answer = jsonb_build_object('effect_id', $2::text, 'leased_at', clock_timestamp() - interval '31 seconds')
     where key = $1`,
    [key, effectId],
  );
  expect(rowCount).toBe(1);
}

describe('a halt that is asked for twice under one Idempotency-Key', () => {
  test('is declared once, one after the other and ten at once', async () => {
    const key = randomUUID();
    const first = await post('/halts', key);
    const again = await post('/halts', key);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.id).toBe(first.id);
    const other = randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('/halts', other)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect((await listHalts(plane.ctx, root())).items).toHaveLength(2);
    expect(await countEvents('halt.declared', first.id)).toBe(1);
  });

  test('is declared once where the process died before it answered', async () => {
    const key = randomUUID();
    const first = await post('/halts', key);
    const { rows } = await plane.ctx.database.pool.query<{ request_key: string }>(
      'select request_key from halts where id = $1',
      [first.id],
    );
    await forgetAnswer(key, rows[0]?.request_key ?? '');
    expect((await post('/halts', key)).id).toBe(first.id);
    expect(await listStandingHalts(plane.ctx, root())).toHaveLength(1);
    expect(await countEvents('halt.declared', first.id)).toBe(1);
  });

  test('is lifted once, too', async () => {
    const { id } = await post('/halts', randomUUID());
    const key = randomUUID();
    await post(`/halts/${id}/lift`, key, {});
    await forgetAnswer(key, randomUUID());
    expect(await post(`/halts/${id}/lift`, key, {})).toMatchObject({ status: 200, id });
    expect(await countEvents('halt.lifted', id)).toBe(1);
  });

  test('and once more under another key stands beside the first', async () => {
    const [first, second] = [await post('/halts', randomUUID()), await post('/halts', randomUUID())];
    expect(second.id).not.toBe(first.id);
  });
});

describe('a write under one Idempotency-Key', () => {
  const listEffects = async (failure: Error): Promise<string[]> => {
    const effects: string[] = [];
    const run = (effectId: string): Promise<string> => {
      effects.push(effectId);
      return effects.length === 1 ? Promise.reject(failure) : Promise.resolve('done');
    };
    const write = { principal: 'ana', method: 'POST', path: '/a-test', key: randomUUID(), body: {}, run, keep: String };
    await expect(withIdempotency(plane.ctx, write)).rejects.toBe(failure);
    expect(await withIdempotency(plane.ctx, write)).toEqual({ isRepeat: false, answer: 'done' });
    return effects;
  };

  test('is the same one again where it failed and may have been committed', async () => {
    const [first, second] = await listEffects(new Error('the answer to its commit was lost'));
    expect(second).toBe(first);
  });

  test('is a new one where the first was refused', async () => {
    const [first, second] = await listEffects(new ConflictError('No.', { code: 'halted' }));
    expect(second).not.toBe(first);
  });
});
