import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../api/create-api.ts';
import { createCommand } from '../../cli/commands/action.ts';
import { EXIT, explainError } from '../../cli/exit.ts';
import type { RiskLevel } from '../../domain/policy.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { createToken } from '../../services/tokens/manage-tokens.ts';
import { enrollTotp } from '../../services/totp/enroll-totp.ts';
import { makeTotpCode } from '../../services/totp/totp-code.ts';
import { createTestControlPlane } from '../support/context.ts';
import type { TestControlPlane } from '../support/context.ts';
import { insertTestServer } from '../support/servers.ts';

let plane: TestControlPlane;
let app: FastifyInstance;
let url: string;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  app = await createApi({ ctx: plane.ctx });
  url = await app.listen({ port: 0, host: '127.0.0.1' });
  for (const [principal, role] of Object.entries({ bob: 'approver', cid: 'approver', root: 'admin' })) {
    tokens[principal] = (await createToken(plane.ctx, plane.asker('root'), { principal, role })).token;
  }
});
afterAll(async () => {
  await app.close();
  await plane.stop();
});

async function ask(risk: RiskLevel): Promise<{ id: string; server: string }> {
  const playbook = plane.config.playbooks.get('restart-service');
  if (playbook === undefined) throw new Error('restart-service is not shipped');
  plane.config.playbooks = new Map([...plane.config.playbooks, ['restart-service', { ...playbook, risk }]]);
  const { name: server } = await insertTestServer(plane.ctx);
  const input = { server, playbook: 'restart-service', params: { service: 'nginx' } };
  return requestAction(plane.ctx, plane.asker('ana'), input);
}

async function enroll(principal: string): Promise<() => string> {
  const { secret } = await enrollTotp(plane.ctx, plane.asker('root'), { principal, isReplacing: true });
  return () => makeTotpCode({ secret, nowMs: Date.now() });
}

function approve(who: string, id: string, payload: object) {
  const headers = { authorization: `Bearer ${tokens[who] ?? ''}` };
  return app.inject({ method: 'POST', url: `/api/v1/actions/${id}/approve`, headers, payload });
}

describe('the API', () => {
  test('tells every proof that is missing at its field, and takes them', async () => {
    const { id, server } = await ask('critical');
    const bare = await approve('bob', id, {});
    expect(bare.statusCode).toBe(400);
    expect(bare.json()).toMatchObject({
      code: 'confirm_server_missing',
      errors: [
        { path: 'confirm_server', code: 'confirm_server_missing' },
        { path: 'reason', code: 'reason_missing' },
        { path: 'totp', code: 'totp_missing' },
      ],
    });
    const code = await enroll('bob');
    const proofs = { confirm_server: server, reason: 'needed' };
    const wrong = await approve('bob', id, { ...proofs, totp: '000000' });
    expect(wrong.statusCode).toBe(403);
    expect(wrong.json()).toMatchObject({ code: 'totp_wrong', errors: [{ path: 'totp', code: 'totp_wrong' }] });
    const right = await approve('bob', id, { ...proofs, totp: code() });
    expect(right.statusCode).toBe(200);
    expect(right.json()).toMatchObject({
      status: 'approved',
      approval_from: null,
      approvals: [{ by: 'bob', reason: 'needed', break_glass: false }],
    });
  });

  test('answers 429 with the time to wait once the codes are locked', async () => {
    const { id, server } = await ask('critical');
    await enroll('cid');
    const proofs = { confirm_server: server, reason: 'guessing', totp: '000000' };
    for (let tries = 0; tries < 4; tries += 1) expect((await approve('cid', id, proofs)).statusCode).toBe(403);
    const locked = await approve('cid', id, proofs);
    expect(locked.statusCode).toBe(429);
    expect(Number(locked.headers['retry-after'])).toBeGreaterThan(800);
    expect(locked.json()).toMatchObject({ code: 'totp_locked', errors: [{ path: 'totp' }] });
  });
});

describe('the CLI', () => {
  /** In this process, as bin/medic runs it; its exit code. */
  async function medic(who: string, words: readonly string[]): Promise<number> {
    const printed = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    try {
      await createCommand({
        env: { MEDIC_URL: url, MEDIC_TOKEN: tokens[who] },
        setExitCode: () => undefined,
      }).parseAsync(words, { from: 'user' });
      return EXIT.done;
    } catch (error) {
      return explainError(error).exitCode;
    } finally {
      printed.mockRestore();
    }
  }

  test('carries the same proofs, and says by its exit code what was wrong', async () => {
    const { id, server } = await ask('critical');
    const code = await enroll('bob');
    const proofs = ['--reason', 'needed', '--confirm-server', server];
    expect(await medic('bob', ['approve', id])).toBe(EXIT.wrongUse);
    expect(await medic('bob', ['approve', id, ...proofs, '--totp', '000000'])).toBe(EXIT.refused);
    expect(await medic('bob', ['approve', id, ...proofs, '--break-glass'])).toBe(EXIT.refused);
    expect(await medic('bob', ['why', id])).toBe(EXIT.done);
    expect(await medic('bob', ['approve', id, ...proofs, '--totp', code()])).toBe(EXIT.done);
  });

  test('lets an admin break the glass, without a code', async () => {
    const { id, server } = await ask('critical');
    expect(await medic('root', ['approve', id, '--break-glass', '--reason', 'down'])).toBe(EXIT.wrongUse);
    const words = ['approve', id, '--break-glass', '--reason', 'down', '--confirm-server', server];
    expect(await medic('root', words)).toBe(EXIT.done);
  });
});
