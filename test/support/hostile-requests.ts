import { createHmac, randomUUID } from 'node:crypto';
import { HOSTILE_TEXTS, hostileBody, hostileValue } from './hostile-values.ts';
import type { Dice } from './seeded.ts';

/** Whom to send it to, and what somebody inside has: so that what is behind the door is tried too. */
export interface Target {
  url: string;
  routes: readonly { method: string; url: string }[];
  slackSecret: string;
  /** One of each role. */
  tokens: readonly string[];
  agent: { serverId: string; pem: string };
  /** Ids and names that exist. */
  names: readonly string[];
}

export interface HostileRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'];
const CONTENT_TYPES = [
  ...['text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/xml', 'json'],
  ...['application/json; charset=utf-16', 'application/json; charset="', 'application/jsonx', ';', 'a/b;'.repeat(100)],
];

/** One of endlessly many, for any route; `agentToken` is valid. */
export function createHostileRequest(dice: Dice, target: Target, agentToken: string): HostileRequest {
  const route = pickRoute(dice, target);
  const path = `${fillPath(dice, target, route.url)}${hostileQuery(dice)}`;
  const body = bodyOf(dice, target, route.url);
  const headers = {
    ...credentialsOf(dice, target, { url: route.url, agentToken, body }),
    ...(dice.oneIn(5) ? { 'content-type': dice.pick(CONTENT_TYPES) } : { 'content-type': usualType(route.url) }),
    ...(dice.oneIn(5) ? oddHeaders(dice) : {}),
  };
  return { method: dice.oneIn(8) ? dice.pick(METHODS) : route.method, path, headers, body };
}

/** The pages of the documentation are many, and all alike. */
function pickRoute(dice: Dice, { routes }: Pick<Target, 'routes'>): Target['routes'][number] {
  const route = dice.pick(routes);
  return route.url.startsWith('/docs') && !dice.oneIn(10) ? pickRoute(dice, { routes }) : route;
}

function usualType(url: string): string {
  return url.startsWith('/slack') ? 'application/x-www-form-urlencoded' : 'application/json';
}

function fillPath(dice: Dice, { names }: Target, url: string): string {
  const filled = url.replaceAll(/:\w+|\*/g, () =>
    dice.oneIn(2) ? dice.pick(names) : encode(dice, dice.pick(HOSTILE_TEXTS)),
  );
  return dice.oneIn(20) ? `${filled}/${encode(dice, dice.pick(HOSTILE_TEXTS))}` : filled;
}

/** As it should be, as nobody can read it, or as few do; never what no HTTP client can send. */
function encode(dice: Dice, text: string): string {
  const wellFormed = text.toWellFormed();
  if (dice.oneIn(8)) return `${encodeURIComponent(wellFormed)}%ff%`;
  if (dice.oneIn(8)) return encodeURIComponent(wellFormed).replaceAll('%2F', '/');
  return encodeURIComponent(wellFormed);
}

const QUERY_NAMES = [
  'limit',
  'after',
  'status',
  'server',
  'playbook',
  'code',
  'standing',
  '__proto__',
  'after[]',
  'limit[a][b]',
  'x',
];

function hostileQuery(dice: Dice): string {
  if (!dice.oneIn(3)) return '';
  const pairs = Array.from({ length: 1 + dice.roll(4) }, () => {
    const value = hostileValue(dice);
    return `${encode(dice, dice.pick(QUERY_NAMES))}=${encode(dice, typeof value === 'string' ? value : JSON.stringify(value))}`;
  });
  return `?${pairs.join('&')}`;
}

function bodyOf(dice: Dice, target: Target, url: string): Buffer {
  if (!url.startsWith('/slack'))
    return hostileBody(dice, TEMPLATES.find((one) => url.includes(one.part))?.make(target) ?? {});
  const payload = hostileBody(dice, dice.pick(SLACK_PAYLOADS)).toString('latin1');
  const name = dice.pick(['payload', 'command', 'text', 'payload[]', '__proto__']);
  return Buffer.from(dice.oneIn(3) ? payload : `${name}=${encodeURIComponent(payload)}&trigger_id=${randomUUID()}`);
}

/** What each route would take, as a start to be mutated. */
const TEMPLATES: readonly { part: string; make(target: Target): unknown }[] = [
  { part: '/agents/heartbeat', make: () => heartbeat() },
  {
    part: '/agents/enroll',
    make: () => ({
      ...{ protocol: 1, token: 'medic_enroll_x', hostname: 'h', agent_version: '1', os: 'linux', playbooks: [] },
      public_key: { kty: 'OKP', crv: 'Ed25519', x: `${'g'.repeat(42)}A` },
    }),
  },
  { part: '/enrollment-tokens', make: () => ({ server_name: 'db-1', tags: ['a'], ttl_s: 3600 }) },
  { part: '/unpause', make: () => ({}) },
  { part: '/pause', make: () => ({ reason: 'a test', until: new Date(Date.now() + 60_000).toISOString() }) },
  {
    part: '/approve',
    make: ({ names }) => ({
      reason: 'go',
      playbook_digest: 'sha256:x',
      confirm_server: names[1],
      totp: '000000',
      break_glass: true,
    }),
  },
  { part: '/reject', make: () => ({ reason: 'no' }) },
  { part: '/cancel', make: () => ({ reason: 'no' }) },
  { part: '/lift', make: () => ({ reason: 'it is over' }) },
  {
    part: '/halts', // of what nobody here asks for: one that loses its playbook stands until the end of its round
    make: () => ({ reason: 'a test', playbook: 'check-service', until: new Date(Date.now() + 60_000).toISOString() }),
  },
  {
    part: '/dead-letters/replay',
    make: ({ names }) => ({ server: names[1], playbook: 'restart-service', code: 'timed_out', limit: 5, reason: 'go' }),
  },
  { part: '/replay', make: () => ({ reason: 'once more' }) },
  { part: '/dismiss', make: () => ({ reason: 'the server is gone' }) },
  {
    part: '/actions',
    make: ({ names }) => ({
      ...{ server: names[1], playbook: 'restart-service', params: { service: 'nginx' }, reason: 'a test' },
      ...{ timeout_s: 30, dry_run: false, alert_id: 'a' },
    }),
  },
];

function heartbeat(): unknown {
  const at = new Date().toISOString();
  const digest = `sha256:${'0'.repeat(64)}`;
  const result = {
    ...{ command_id: randomUUID(), attempt: 1, status: 'completed', exit_code: 0, signal: null, started_at: at },
    ...{ finished_at: at, stdout: 'x', stderr: '', stdout_bytes: 1, stderr_bytes: 0, truncated: false },
    ...{ stdout_sha256: digest, stderr_sha256: digest },
  };
  return {
    ...{ protocol: 1, session: { started_at: at, beat: 1 }, agent_version: '1', boot_id: 'b', uptime_s: 1, load: 0 },
    ...{ wait_s: 0, running: [{ command_id: randomUUID(), started_at: at, step: 1, steps: 2 }], results: [result] },
    playbooks: [{ name: 'restart-service', digest }],
  };
}

const SLACK_PAYLOADS: readonly unknown[] = [
  { type: 'url_verification', challenge: 'x' },
  { type: 'event_callback', team_id: 'T1', event: { type: 'app_home_opened', user: 'U0ANA', tab: 'home' } },
  {
    type: 'block_actions',
    team: { id: 'T1' },
    user: { id: 'U0ANA' },
    actions: [{ action_id: 'medic_approve', value: 'x' }],
  },
  { type: 'view_submission', user: { id: 'U0ANA' }, view: { callback_id: 'medic_request', state: { values: {} } } },
  { type: 'block_suggestion', user: { id: 'U0ANA' }, action_id: 'medic_server_options', value: 'w' },
  { type: 'shortcut', callback_id: 'medic_ask', user: { id: 'U0ANA' }, trigger_id: 'x' },
];

function credentialsOf(
  dice: Dice,
  target: Target,
  { url, agentToken, body }: { url: string; agentToken: string; body: Buffer },
): Record<string, string> {
  if (url.startsWith('/slack')) return dice.oneIn(4) ? {} : signForSlack(target.slackSecret, body);
  const usual = url.includes('/agents/') ? agentToken : dice.pick(target.tokens);
  if (!dice.oneIn(6)) return { authorization: `Bearer ${usual}` };
  const odd = [
    '',
    'Bearer',
    'Bearer ',
    `Basic ${usual}`,
    `bearer ${usual} x`,
    `Bearer ${'x'.repeat(6_000)}`,
    'Bearer a.b.c',
  ];
  return dice.oneIn(2) ? {} : { authorization: dice.pick(odd) };
}

function signForSlack(secret: string, body: Buffer): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const digest = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${digest}` };
}

function oddHeaders(dice: Dice): Record<string, string> {
  return dice.pick<Record<string, string>>([
    { 'idempotency-key': `${randomUUID()}${'k'.repeat(dice.pick([0, 300]))}` },
    { 'x-forwarded-for': '127.0.0.1, '.repeat(200), 'x-forwarded-proto': 'https' },
    { 'content-encoding': 'gzip' },
    { accept: 'application/xml', 'accept-encoding': 'br;q=x' },
    { 'x-http-method-override': 'DELETE', 'x-original-url': '/metrics' },
    { cookie: 'a=b; '.repeat(1_500) },
    { range: 'bytes=0-,-1', 'if-match': '*', 'if-modified-since': 'never' },
    Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`x-${String(i)}`, 'y'.repeat(50)])),
    { 'x-slack-retry-num': '999999999999', 'x-slack-request-timestamp': '-1' },
    { host: 'evil.example', origin: 'null', referer: 'http://evil.example/' },
  ]);
}
