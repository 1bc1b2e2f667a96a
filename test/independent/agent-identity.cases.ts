import { describe, expect, test } from '@jest/globals';
import { expectProblem, expectStatus, readServer } from './action-steps.ts';
import { createAgentClient, enrolmentBody, postEnrolment } from './agent-client.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Json } from './http-exchange.ts';
import { ANNOUNCED } from './playbook-documents.ts';
import { makeKeyPair } from './signatures.ts';

export function describeAgentIdentity(plane: () => ControlPlane): void {
  async function makeEnrolmentToken(body: Json): Promise<string> {
    const answer = await (await plane().as('adm', 'admin')).post('/api/v1/servers/enrollment-tokens', body);
    expectStatus(answer, 201);
    return String(answer.body.token);
  }
  const enrolWith = (token: string, name: string) =>
    postEnrolment(plane().baseUrl, enrolmentBody(token, makeKeyPair(), name));

  describe('enrolment', () => {
    test('takes a token once and answers with all an agent needs', async () => {
      const token = await makeEnrolmentToken({ server_name: 'enrol-1', tags: ['web'] });
      const answer = await enrolWith(token, 'some-host');
      expectStatus(answer, 201);
      expect(answer.body).toMatchObject({
        server_id: expect.any(String),
        command_keys: [{ kty: 'OKP', crv: 'Ed25519', x: expect.any(String), kid: expect.any(String) }],
        heartbeat_interval_s: expect.any(Number),
        max_wait_s: expect.any(Number),
      });
      expect(answer.body.max_wait_s).toBeLessThanOrEqual(25);
      expect(await readServer(plane(), answer.body.server_id)).toMatchObject({ name: 'enrol-1', tags: ['web'] });

      const again = await enrolWith(token, 'some-host');
      expect([401, 403, 409]).toContain(again.status);
      expectProblem(again, again.status);
    });

    test('refuses a token that was never made', async () => {
      const answer = await enrolWith('no-such-token', 'some-host');
      expect([401, 403]).toContain(answer.status);
      expectProblem(answer, answer.status);
    });

    test('refuses a key that is no Ed25519 key, and leaves the token unused', async () => {
      const token = await makeEnrolmentToken({ server_name: 'enrol-2' });
      const body = enrolmentBody(token, makeKeyPair(), 'h');
      expectProblem(await postEnrolment(plane().baseUrl, { ...body, public_key: { kty: 'RSA', n: 'x' } }), 400);
      expectStatus(await postEnrolment(plane().baseUrl, body), 201);
    });

    test('refuses a token past its time to live', async () => {
      const token = await makeEnrolmentToken({ server_name: 'enrol-3', ttl_s: 1 }).catch(() => undefined);
      if (token === undefined) return; // The contract names no shortest time to live.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect([401, 403]).toContain((await enrolWith(token, 'h')).status);
    });

    test('of a known name keeps the server id and revokes the old key', async () => {
      const first = await plane().enrol('enrol-4');
      expectStatus(await first.beat(), 200);
      const second = await plane().enrol('enrol-4');
      expect(second.serverId).toBe(first.serverId);
      expectProblem(await first.beat(), 401);
      expectStatus(await second.beat(), 200);
    });

    test('answers an unknown protocol with 426', async () => {
      const token = await makeEnrolmentToken({ server_name: 'enrol-5' });
      const body = { ...enrolmentBody(token, makeKeyPair(), 'h'), protocol: 99 };
      expectStatus(await postEnrolment(plane().baseUrl, body), 426);
    });
  });

  describe('the heartbeat’s bearer token', () => {
    test('is refused without one, with another key, another audience, another server or too long a life', async () => {
      const agent = await plane().enrol('auth-1');
      const other = await plane().enrol('auth-2');
      const now = Math.floor(Date.now() / 1000);
      const refused = {
        none: '',
        garbage: 'a.b.c',
        'another key': agent.mint({}, makeKeyPair()),
        'another audience': agent.mint({ aud: 'somebody-else' }),
        'another server': agent.mint({ sub: other.serverId }),
        'an unknown server': agent.mint({ sub: '00000000-0000-4000-8000-000000000000' }),
        'a life over ten minutes': agent.mint({ exp: now + 3600 }),
        'no signature at all': unsigned(agent.mint()),
      };
      for (const [what, token] of Object.entries(refused)) {
        const answer = await agent.beat({}, { token });
        expect({ what, status: answer.status }).toEqual({ what, status: 401 });
        expectProblem(answer, 401);
      }
      expectStatus(await agent.beat(), 200);
    });

    test('accepts 50 s of difference and answers more with clock_skew and its own time', async () => {
      const agent = await plane().enrol('auth-3');
      const now = Math.floor(Date.now() / 1000);
      expectStatus(await agent.beat({}, { token: agent.mint({ iat: now + 50, exp: now + 300 }) }), 200);
      expectStatus(await agent.beat({}, { token: agent.mint({ iat: now - 340, exp: now - 40 }) }), 200);
      for (const offset of [300, -7200]) {
        const token = agent.mint({ iat: now + offset, exp: now + offset + 300 });
        const answer = await agent.beat({}, { token });
        expectProblem(answer, 401, 'clock_skew');
        expect(Math.abs(Date.parse(answer.body.server_time) - Date.now())).toBeLessThan(10_000);
      }
      // A stranger's token tells nobody the time.
      const forged = agent.mint({ iat: now - 7200, exp: now - 6900 }, makeKeyPair());
      const answer = await agent.beat({}, { token: forged });
      expect(answer.status).toBe(401);
      expect(answer.body.code).not.toBe('clock_skew');
    });

    test('decides who the agent is, whatever the body says', async () => {
      const agent = await plane().enrol('auth-4');
      const other = await plane().enrol('auth-5');
      expectStatus(await agent.beat({ server_id: other.serverId, agent_version: '1.2.3-mine' }), 200);
      expect(await readServer(plane(), agent.serverId)).toMatchObject({ agent_version: '1.2.3-mine' });
      expect((await readServer(plane(), other.serverId)).last_seen_at).toBeNull();
    });
  });

  describe('a heartbeat', () => {
    test('answers with the fields of the contract', async () => {
      const agent = await plane().enrol('beat-1');
      const answer = await agent.beat();
      expectStatus(answer, 200);
      expect(answer.body).toMatchObject({
        server_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        paused: false,
        halted: false,
        acked: [],
        commands: [],
        cancel: [],
        heartbeat_interval_s: expect.any(Number),
      });
    });

    test('that is not newer than the last is 409 stale_heartbeat with the last, and changes nothing', async () => {
      const agent = await plane().enrol('beat-2');
      const session = { started_at: new Date().toISOString(), beat: 7 };
      expectStatus(await agent.beat({ session }), 200);
      for (const beat of [7, 3]) {
        const answer = await agent.beat({ session: { ...session, beat }, agent_version: 'from-the-past' });
        expectProblem(answer, 409, 'stale_heartbeat');
        expect(answer.body.last.beat).toBe(7);
        expect(Date.parse(answer.body.last.started_at)).toBe(Date.parse(session.started_at));
      }
      const older = { started_at: new Date(Date.now() - 60_000).toISOString(), beat: 99 };
      expectProblem(await agent.beat({ session: older }), 409, 'stale_heartbeat');
      expect(await readServer(plane(), agent.serverId)).toMatchObject({ agent_version: '9.9.9-independent' });
      const newer = { started_at: new Date(Date.now() + 1000).toISOString(), beat: 1 };
      expectStatus(await agent.beat({ session: newer }), 200);
    });

    test('ends an older held one', async () => {
      const agent = await plane().enrol('beat-3');
      await agent.beat();
      const began = performance.now();
      const held = agent.beat({ wait_s: 20 });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expectStatus(await agent.beat({ wait_s: 0 }), 200);
      await held;
      // The contract gives no number: well before the 20 s that were asked for.
      expect(performance.now() - began).toBeLessThan(10_000);
    });

    test('is held for wait_s where there is nothing to do', async () => {
      const agent = await plane().enrol('beat-4');
      const began = performance.now();
      const answer = await agent.beat({ wait_s: 2 });
      expectStatus(answer, 200);
      expect(answer.body.commands).toEqual([]);
      expect(performance.now() - began).toBeGreaterThan(1500);
      expect(performance.now() - began).toBeLessThan(8000);
    });

    test('of an unknown protocol is answered 426, a malformed one 400, one over 1 MiB 413', async () => {
      const agent = await plane().enrol('beat-5');
      expectStatus(await agent.beat({ protocol: 99 }), 426);
      expectProblem(await agent.beat({ running: 'nothing' }), 400);
      expectProblem(await agent.beat({ padding: 'x'.repeat(1024 * 1024 + 1) }), 413);
      expectStatus(await agent.beat({ padding: 'x'.repeat(600 * 1024) }), 200);
    });

    test('may carry fields of a later version', async () => {
      const agent = await plane().enrol('beat-6');
      expectStatus(await agent.beat({ moon_phase: 'full' }), 200);
    });

    test('tells the server’s state, and which playbooks are the control plane’s own', async () => {
      const agent = await plane().enrol('beat-7');
      const before = await readServer(plane(), agent.serverId);
      expect(before).toMatchObject({ status: 'never_seen', last_seen_at: null, paused: false });
      const foreign = { name: 'echo-note', digest: `sha256:${'0'.repeat(64)}` };
      await agent.beat({ playbooks: [agentPlaybook('risky-note'), foreign] });
      const after = await readServer(plane(), agent.serverId);
      expect(after).toMatchObject({ status: 'online', running: expect.anything(), queued: expect.anything() });
      const known = Object.fromEntries(after.playbooks.map((entry: Json) => [entry.name, entry.known]));
      expect(known).toEqual({ 'risky-note': true, 'echo-note': false });
    });
  });

  test('an agent restored from its key alone goes on as the same server', async () => {
    const agent = await plane().enrol('beat-8');
    await agent.beat();
    const { keyPair, enrolment, name } = agent;
    const restored = createAgentClient({ baseUrl: plane().baseUrl, keyPair, enrolment, name });
    const session = { started_at: new Date(Date.now() + 5).toISOString(), beat: 1 };
    expectStatus(await restored.beat({ session }), 200);
  });
}

function unsigned(token: string): string {
  const [, payload] = token.split('.');
  const header = Buffer.from('{"alg":"none"}').toString('base64url');
  return `${header}.${String(payload)}.`;
}

function agentPlaybook(name: string): Json {
  return ANNOUNCED.find((entry) => entry.name === name);
}
