import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { awaitStatus, expectProblem, expectStatus, readAction, readServer, requestAction } from './action-steps.ts';
import { ECHO_NOTE_PLAYBOOK } from './playbook-documents.ts';
import { eventually } from './eventually.ts';
import { createCaller } from './control-plane.ts';
import type { Caller, ControlPlane } from './control-plane.ts';
import type { Answer, Json } from './http-exchange.ts';

const REQUEST = { playbook: 'echo-note', params: { note: 'hello' } };

export function describeActionsApi(plane: () => ControlPlane): void {
  const ana = (): Promise<Caller> => plane().as('ana', 'operator');
  const ask = async (body: Json, headers?: Record<string, string>): Promise<Answer> =>
    (await ana()).post('/api/v1/actions', body, headers);

  describe('POST /api/v1/actions', () => {
    test('answers 201 with the whole action, its digest the one computed here', async () => {
      await plane().enrol('api-1');
      const action = await requestAction(plane(), 'api-1', { reason: 'it hangs' });
      expect(action).toMatchObject({
        id: expect.any(String),
        server: 'api-1',
        playbook: 'echo-note',
        playbook_digest: ECHO_NOTE_PLAYBOOK.digest,
        params: { note: 'hello' },
        risk: 'low',
        reason: 'it hangs',
        requested_by: 'ana',
        exit_code: null,
        failure_code: null,
        dry_run: false,
      });
      expect(JSON.stringify(action.argv_preview)).toContain('--times=2');
      const approved = await awaitStatus(plane(), action.id, 'approved');
      expect(approved).toMatchObject({ approved_by: 'auto', approved_at: expect.any(String), completed_at: null });
    });

    test('names what is unknown', async () => {
      await plane().enrol('api-2');
      expectProblem(await ask({ ...REQUEST, server: 'api-zwei' }), 400, 'unknown_server');
      expectProblem(await ask({ ...REQUEST, server: 'api-2', playbook: 'echo-nota' }), 400, 'unknown_playbook');
      const withAlert = { ...REQUEST, server: 'api-2', alert_id: randomUUID() };
      expectProblem(await ask(withAlert), 400, 'unknown_alert');
    });

    test.each([
      ['missing', {}],
      ['of another type', { note: 5 }],
      ['starting with -', { note: '-rf' }],
      ['with a control character', { note: 'a\u0007b' }],
      ['not matching', { note: 'Hello There' }],
      ['matching only in part', { note: 'abc\n' }],
      ['over its maximum', { note: 'abc', times: 6 }],
      ['no whole number', { note: 'abc', times: 1.5 }],
      ['no value of the enum', { note: 'abc', mode: 'silent' }],
      ['unknown', { note: 'abc', noise: 'x' }],
    ])('refuses a parameter that is %s, field by field', async (_what, params) => {
      await plane().enrol('api-3');
      const answer = await ask({ ...REQUEST, server: 'api-3', params });
      expectProblem(answer, 400);
      expect(answer.body.errors.length).toBeGreaterThan(0);
    });

    test('refuses a timeout over the playbook’s max_timeout', async () => {
      await plane().enrol('api-4');
      expectProblem(await ask({ ...REQUEST, server: 'api-4', timeout_s: 601 }), 400);
    });

    test('is 401 to nobody, 403 to who may not, 413 over 64 KiB, 400 to what is no JSON', async () => {
      await plane().enrol('api-5');
      const body = { ...REQUEST, server: 'api-5' };
      expectProblem(await createCaller(plane().baseUrl, undefined).post('/api/v1/actions', body), 401);
      expectProblem(await createCaller(plane().baseUrl, 'made-up').post('/api/v1/actions', body), 401);
      for (const [name, role] of [
        ['vic', 'viewer'],
        ['cid', 'approver'],
        ['aud', 'auditor'],
      ] as const) {
        expectProblem(await (await plane().as(name, role)).post('/api/v1/actions', body), 403);
      }
      expectProblem(await ask({ ...body, reason: 'x'.repeat(65 * 1024) }), 413);
      expectProblem(await (await ana()).post('/api/v1/actions', '{ "server":'), 400);
    });
  });

  describe('Idempotency-Key', () => {
    test('gives the first answer again, with 200, and refuses another body with 409', async () => {
      await plane().enrol('api-6');
      const key = { 'idempotency-key': randomUUID() };
      const first = await ask({ ...REQUEST, server: 'api-6' }, key);
      expectStatus(first, 201);
      const again = await ask({ ...REQUEST, server: 'api-6' }, key);
      expectStatus(again, 200);
      expect(again.body).toEqual(first.body);
      expectProblem(await ask({ ...REQUEST, server: 'api-6', reason: 'another' }, key), 409);
      const bob = await plane().as('bob', 'operator');
      const other = await bob.post('/api/v1/actions', { ...REQUEST, server: 'api-6' }, key);
      expectStatus(other, 201);
      expect(other.body.id).not.toBe(first.body.id);
    });

    test('lets one of many at the same time do it, and the others wait for its answer', async () => {
      await plane().enrol('api-7');
      const key = { 'idempotency-key': randomUUID() };
      const answers = await Promise.all([1, 2, 3, 4].map(() => ask({ ...REQUEST, server: 'api-7' }, key)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 201]);
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    });

    test('repeats an enrolment token’s answer without the secret', async () => {
      const admin = await plane().as('adm', 'admin');
      const key = { 'idempotency-key': randomUUID() };
      const path = '/api/v1/servers/enrollment-tokens';
      const first = await admin.post(path, { server_name: 'api-8' }, key);
      expectStatus(first, 201);
      const again = await admin.post(path, { server_name: 'api-8' }, key);
      expectStatus(again, 200);
      expect(again.text).not.toContain(first.body.token);
    });
  });

  describe('GET', () => {
    test('pages actions by cursor, each once', async () => {
      await plane().enrol('api-9');
      const made: string[] = [];
      for (let count = 0; count < 5; count += 1) made.push((await requestAction(plane(), 'api-9')).id);
      const vic = await plane().as('vic', 'viewer');
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const cursor: string = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
        const page: Answer = await vic.get(`/api/v1/actions?server=api-9&limit=2${cursor}`);
        expectStatus(page, 200);
        expect(page.body.items.length).toBeLessThanOrEqual(2);
        seen.push(...page.body.items.map((item: Json) => item.id as string));
        after = page.body.next ?? undefined;
      } while (after !== undefined);
      expect(seen.toSorted()).toEqual(made.toSorted());
      const none = await vic.get('/api/v1/actions?server=api-9&status=rejected&playbook=echo-note');
      expect(none.body.items).toEqual([]);
    });

    test('is 404 for what is not there', async () => {
      const vic = await plane().as('vic', 'viewer');
      for (const id of [randomUUID(), 'no-such-thing']) {
        expectProblem(await vic.get(`/api/v1/actions/${id}`), 404);
        expectProblem(await vic.get(`/api/v1/servers/${id}`), 404);
      }
      expectProblem(
        await (await plane().as('cid', 'approver')).post(`/api/v1/actions/${randomUUID()}/approve`, {}),
        404,
      );
    });

    test('shows automation only what it requested itself', async () => {
      await plane().enrol('api-10');
      const theirs = await requestAction(plane(), 'api-10');
      const robot = await plane().as('robot', 'automation');
      const own = await robot.post('/api/v1/actions', { ...REQUEST, server: 'api-10' });
      expectStatus(own, 201);
      expectStatus(await robot.get(`/api/v1/actions/${own.body.id}`), 200);
      expect([403, 404]).toContain((await robot.get(`/api/v1/actions/${theirs.id}`)).status);
    });
  });

  describe('PUT pause and unpause', () => {
    test('ends what auto approved and is not handed out, and unpausing approves nothing', async () => {
      const agent = await plane().enrol('pause-1');
      const queued = await requestAction(plane(), 'pause-1');
      await awaitStatus(plane(), queued.id, 'approved');
      const paused = await (await ana()).put(`/api/v1/servers/${agent.serverId}/pause`, { reason: 'disks' });
      expectStatus(paused, 200);
      expect(await readServer(plane(), agent.serverId)).toMatchObject({
        paused: true,
        paused_by: 'ana',
        pause_reason: 'disks',
        paused_at: expect.any(String),
      });
      expect((await awaitStatus(plane(), queued.id, 'cancelled')).failure_code).toBe('server_paused');
      const waiting = await requestAction(plane(), 'pause-1');
      expectStatus(await (await ana()).put(`/api/v1/servers/${agent.serverId}/unpause`, {}), 200);
      expect((await readServer(plane(), agent.serverId)).paused).toBe(false);
      expect((await agent.beat({ wait_s: 1 })).body.commands).toEqual([]);
      expect((await readAction(plane(), waiting.id)).status).toBe('pending');
    });

    test('until a time ends by itself', async () => {
      const agent = await plane().enrol('pause-2');
      const until = new Date(Date.now() + 2000).toISOString();
      const path = `/api/v1/servers/${agent.serverId}/pause`;
      expectStatus(await (await ana()).put(path, { reason: 'short', until }), 200);
      expect((await agent.beat()).body.paused).toBe(true);
      await awaitUnpaused(plane(), agent.serverId);
    });

    test('is for operators, and wants a reason', async () => {
      const agent = await plane().enrol('pause-3');
      const path = `/api/v1/servers/${agent.serverId}/pause`;
      expectProblem(await (await plane().as('cid', 'approver')).put(path, { reason: 'x' }), 403);
      expectProblem(await (await ana()).put(path, {}), 400);
    });
  });
}

async function awaitUnpaused(plane: ControlPlane, serverId: string): Promise<void> {
  await eventually('the pause to end by itself', async () => !(await readServer(plane, serverId)).paused, {
    withinMs: 20_000,
  });
}
