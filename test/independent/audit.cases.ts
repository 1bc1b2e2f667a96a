import { describe, expect, test } from '@jest/globals';
import { awaitStatus, expectProblem, expectStatus, pause, requestAction } from './action-steps.ts';
import { resultOf, runningEntry } from './agent-client.ts';
import { canonicalJson, sha256 } from './canonical-json.ts';
import { createCaller } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { exchange } from './http-exchange.ts';
import type { Answer, Json } from './http-exchange.ts';

const ZERO = `sha256:${'0'.repeat(64)}`;
const VIAS = ['slack', 'api', 'cli', 'page', 'agent', 'workflow', 'webhook'];

export function describeAudit(plane: () => ControlPlane): void {
  async function exportLines(): Promise<string[]> {
    const env = { MEDIC_URL: plane().baseUrl, MEDIC_TOKEN: await plane().token('aud', 'auditor') };
    const exported = await plane().cli(['audit', 'export'], { env });
    expect({ exitCode: exported.exitCode, stderr: exported.stderr }).toMatchObject({ exitCode: 0 });
    return exported.stdout.split('\n').filter((line) => line !== '');
  }

  describe('the audit log', () => {
    test('is a chain without a gap that a stranger can check, over export and over HTTP', async () => {
      const lines = await exportLines();
      const events = lines.map((line) => JSON.parse(line) as Json);
      expectChain(events);
      const paged = await readPages(plane());
      expect(paged.slice(0, events.length)).toEqual(events);
    });

    test('tells the whole way of an action, refused decisions too, and keeps output out', async () => {
      const agent = await plane().enrol('audit-1');
      await pause(plane(), agent.serverId, 'audit-pause-reason');
      const action = await requestAction(plane(), agent.name);
      await (await plane().as('vic', 'viewer')).post(`/api/v1/actions/${action.id}/approve`, {});
      await (await plane().as('cid', 'approver')).post(`/api/v1/actions/${action.id}/approve`, {});
      const command = await agent.awaitCommand();
      await agent.beat({ running: [runningEntry(command)] });
      await awaitStatus(plane(), action.id, 'executing');
      await agent.report([resultOf(command, { stdout: 'very-secret-output\n' })]);
      await awaitStatus(plane(), action.id, 'completed');
      const lines = await exportLines();
      const events = lines.map((line) => JSON.parse(line) as Json);
      const about = events.filter((event) => JSON.stringify(event).includes(action.id));
      const names = about.map((event) => event.event as string);
      for (const name of ['action.requested', 'action.approved', 'command.issued', 'action.started']) {
        expect(names).toContain(name);
      }
      expect(names).toEqual(expect.arrayContaining(['action.completed', 'decision.refused']));
      expect(about.find((event) => event.event === 'decision.refused')).toMatchObject({ actor: 'vic', via: 'api' });
      expect(lines.join('\n')).toContain('audit-pause-reason');
      expect(lines.join('\n')).not.toContain('very-secret-output');
      expect(events.filter((event) => event.event === 'token.created')[0]).toMatchObject({
        actor: 'system',
        via: 'cli',
      });
      expect(events.map((event) => event.event)).toEqual(expect.arrayContaining(['server.enrolled', 'server.paused']));
    });

    test('is accepted by audit verify, which names the first wrong line of an altered copy', async () => {
      const lines = await exportLines();
      const good = await plane().cli(['audit', 'verify', '-'], { stdin: `${lines.join('\n')}\n` });
      expect({ exitCode: good.exitCode, stderr: good.stderr }).toMatchObject({ exitCode: 0 });
      const altered = { ...JSON.parse(lines[4] ?? '{}'), actor: 'mallory' };
      const copy = lines.with(4, JSON.stringify(altered)).join('\n');
      const bad = await plane().cli(['audit', 'verify', '-'], { stdin: `${copy}\n` });
      expect(bad.exitCode).not.toBe(0);
      expect(bad.stdout + bad.stderr).toMatch(/\b5\b/);
      const cut = await plane().cli(['audit', 'verify', '-'], { stdin: `${lines.toSpliced(4, 1).join('\n')}\n` });
      expect(cut.exitCode).not.toBe(0);
    });

    test('is for auditors', async () => {
      for (const [name, role] of [
        ['vic', 'viewer'],
        ['ana', 'operator'],
        ['cid', 'approver'],
        ['robot', 'automation'],
      ] as const) {
        expectProblem(await (await plane().as(name, role)).get('/api/v1/audit'), 403);
      }
      expectProblem(await createCaller(plane().baseUrl, undefined).get('/api/v1/audit'), 401);
    });
  });

  describe('what is open', () => {
    const get = (path: string): Promise<Answer> => exchange({ method: 'GET', url: `${plane().baseUrl}${path}` });

    test('healthz, readyz and metrics answer without a token', async () => {
      for (const path of ['/healthz', '/readyz', '/metrics']) expectStatus(await get(path), 200);
      expect((await get('/metrics')).text).toMatch(/^# HELP /m);
    });

    test('openapi.json lists every route of the contract', async () => {
      const document = (await get('/openapi.json')).body;
      const listed = Object.entries(document.paths as Json).flatMap(([path, methods]) =>
        Object.keys(methods as Json).map((method) => `${method.toUpperCase()} ${path.replace(/\{[^}]+\}/g, '{}')}`),
      );
      expect(listed).toEqual(expect.arrayContaining(ROUTES));
      expect([200, 301, 302, 308]).toContain((await get('/docs')).status);
    });
  });
}

const ROUTES = [
  'POST /slack/events',
  'POST /api/v1/agents/enroll',
  'POST /api/v1/agents/heartbeat',
  'GET /api/v1/servers',
  'GET /api/v1/servers/{}',
  'PUT /api/v1/servers/{}/pause',
  'PUT /api/v1/servers/{}/unpause',
  'POST /api/v1/servers/enrollment-tokens',
  'POST /api/v1/actions',
  'GET /api/v1/actions',
  'GET /api/v1/actions/{}',
  'POST /api/v1/actions/{}/approve',
  'POST /api/v1/actions/{}/reject',
  'POST /api/v1/actions/{}/cancel',
  'GET /api/v1/audit',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
];

function expectChain(events: readonly Json[]): void {
  let prev = ZERO;
  events.forEach((event, index) => {
    const { hash, ...rest } = event;
    expect(Object.keys(event).toSorted()).toEqual(
      ['seq', 'at', 'actor', 'via', 'event', 'subject', 'data', 'prev', 'hash'].toSorted(),
    );
    expect(event.seq).toBe(index + 1);
    expect(event.prev).toBe(prev);
    expect(hash).toBe(sha256(canonicalJson(rest)));
    expect(VIAS).toContain(event.via);
    expect(event.event).toMatch(/^[a-z_]+\.[a-z_]+$/);
    prev = hash;
  });
  expect(events.length).toBeGreaterThan(3);
}

async function readPages(plane: ControlPlane): Promise<Json[]> {
  const aud = await plane.as('aud', 'auditor');
  const events: Json[] = [];
  let after = '';
  for (;;) {
    const page = await aud.get(`/api/v1/audit?limit=50${after}`);
    expectStatus(page, 200);
    events.push(...page.body.items);
    if (page.body.next === null || page.body.next === undefined) return events;
    after = `&after=${encodeURIComponent(page.body.next)}`;
  }
}
