import { afterEach, describe, expect, test } from '@jest/globals';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { WebClient } from '@slack/web-api';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace, SlackWorkspaceOptions } from '../../sandbox/slack/workspace.ts';

const MODAL = { type: 'modal' as const, title: { type: 'plain_text' as const, text: 'T' }, blocks: [] };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Partial<SlackWorkspaceOptions> = {}): Promise<SlackWorkspace> {
  const workspace = await startSlackWorkspace({ port: 0, botToken: 'xoxb-1', appToken: 'xapp-1', ...options });
  cleanups.push(() => workspace.stop());
  return workspace;
}

function clientOf(workspace: SlackWorkspace, token = 'xoxb-1'): WebClient {
  return new WebClient(token, {
    slackApiUrl: workspace.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
}

function refusal(code: string): unknown {
  return expect.objectContaining({ data: expect.objectContaining({ error: code }) });
}

describe('tokens, scopes and methods', () => {
  test('refuses unknown, missing and wrong kinds of tokens', async () => {
    const workspace = await start();
    await expect(clientOf(workspace, 'xoxb-other').auth.test()).rejects.toEqual(refusal('invalid_auth'));
    await expect(clientOf(workspace, '').auth.test()).rejects.toEqual(refusal('not_authed'));
    await expect(clientOf(workspace).apps.connections.open({})).rejects.toEqual(refusal('not_allowed_token_type'));
    await expect(clientOf(workspace).apiCall('chat.shout')).rejects.toEqual(refusal('unknown_method'));
    expect(await clientOf(workspace).auth.test()).toMatchObject({ ok: true, user_id: workspace.botUserId });
  });

  test('refuses a method whose scope is not granted', async () => {
    const workspace = await start({ scopes: ['chat:write'] });
    await expect(clientOf(workspace).users.info({ user: 'U0ANA' })).rejects.toEqual(refusal('missing_scope'));
    expect((await clientOf(workspace).chat.postMessage({ channel: 'C0MEDIC', text: 'x' })).ok).toBe(true);
  });
});

describe('messages', () => {
  test('posts, edits, links and deletes, and tells history with metadata when asked', async () => {
    const workspace = await start();
    const client = clientOf(workspace);
    const metadata = { event_type: 'medic_action', event_payload: { action_id: 'a', status: 'pending' } };
    const { ts = '' } = await client.chat.postMessage({ channel: 'C0MEDIC', text: 'one', metadata });
    await client.chat.update({ channel: 'C0MEDIC', ts, text: 'two' });
    expect(workspace.messages('C0MEDIC')).toMatchObject([{ text: 'two', edits: 1, metadata }]);
    const history = await client.conversations.history({ channel: 'C0MEDIC', include_all_metadata: true });
    expect(history.messages).toMatchObject([{ text: 'two', metadata }]);
    expect((await client.conversations.history({ channel: 'C0MEDIC' })).messages?.[0]).not.toHaveProperty('metadata');
    const link = await client.chat.getPermalink({ channel: 'C0MEDIC', message_ts: ts });
    expect(link.permalink).toBe(workspace.messages('C0MEDIC')[0]?.permalink);
    await client.chat.delete({ channel: 'C0MEDIC', ts });
    expect(workspace.messages('C0MEDIC')).toEqual([]);
  });

  test('refuses what Slack refuses', async () => {
    const client = clientOf(await start());
    const post = (over: object) => client.chat.postMessage({ channel: 'C0MEDIC', text: 'x', ...over });
    await expect(post({ channel: 'C0NONE' })).rejects.toEqual(refusal('channel_not_found'));
    await expect(post({ text: '' })).rejects.toEqual(refusal('no_text'));
    await expect(post({ text: 'x'.repeat(40_001) })).rejects.toEqual(refusal('msg_too_long'));
    await expect(post({ blocks: [{ type: 'nope' }] })).rejects.toEqual(refusal('invalid_blocks'));
    await expect(post({ metadata: { event_type: 1 } })).rejects.toEqual(refusal('invalid_metadata_format'));
    await expect(client.chat.update({ channel: 'C0MEDIC', ts: '1.2', text: 'x' })).rejects.toEqual(
      refusal('message_not_found'),
    );
    await expect(client.users.info({ user: 'U0NONE' })).rejects.toEqual(refusal('user_not_found'));
    const text = 'x';
    await expect(client.chat.postEphemeral({ channel: 'C0MEDIC', user: 'U0NONE', text })).rejects.toEqual(
      refusal('user_not_in_channel'),
    );
  });

  test('shows a private message to one person only', async () => {
    const workspace = await start();
    await clientOf(workspace).chat.postEphemeral({ channel: 'C0MEDIC', user: 'U0EVE', text: 'psst' });
    expect(workspace.ephemerals('U0EVE')).toMatchObject([{ text: 'psst' }]);
    expect(workspace.messages('C0MEDIC')).toEqual([]);
    expect((await clientOf(workspace).conversations.history({ channel: 'C0MEDIC' })).messages).toEqual([]);
  });
});

describe('triggers and faults', () => {
  test('a trigger opens one modal within three seconds', async () => {
    const workspace = await start();
    const client = clientOf(workspace);
    const open = (trigger_id: string) => client.views.open({ trigger_id, view: MODAL });
    await workspace.slashCommand({ user: 'U0ANA', command: '/x', text: '', triggerId: 't1' });
    expect((await open('t1')).ok).toBe(true);
    await expect(open('t1')).rejects.toEqual(refusal('exchanged_trigger_id'));
    await workspace.slashCommand({ user: 'U0ANA', command: '/x', text: '', triggerId: 't2' });
    await wait(3_050); // Slack's limit is a time; nothing else can be waited for
    await expect(open('t2')).rejects.toEqual(refusal('expired_trigger_id'));
  });

  test('plays rate limits, lost answers and outages', async () => {
    const workspace = await start();
    const client = clientOf(workspace);
    const post = () => client.chat.postMessage({ channel: 'C0MEDIC', text: 'x' });
    workspace.faults.rateLimitNext('chat.postMessage', 1, 7);
    await expect(post()).rejects.toMatchObject({ retryAfter: 7 });
    expect((await post()).ok).toBe(true);
    workspace.faults.dropAnswer('chat.postMessage', 1);
    await expect(post()).rejects.toThrow();
    expect(workspace.messages('C0MEDIC')).toHaveLength(2);
    workspace.faults.outage(true);
    await expect(post()).rejects.toMatchObject({ statusCode: 503 });
    workspace.faults.outage(false);
    expect((await post()).ok).toBe(true);
    expect(workspace.calls().map((call) => call.status)).toEqual([429, 200, 200, 503, 200]);
  });

  test('limits posts to a channel when told to', async () => {
    const workspace = await start({ enforceRateLimits: true });
    const posts = Array.from({ length: 8 }, () =>
      clientOf(workspace).chat.postMessage({ channel: 'C0MEDIC', text: 'x' }),
    );
    const failed = (await Promise.allSettled(posts)).filter((one) => one.status === 'rejected');
    expect(failed.length).toBeGreaterThanOrEqual(2);
  });

  test('a response_url works five times', async () => {
    const workspace = await start();
    let url = '';
    const { createServer } = await import('node:http');
    const app = createServer((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => {
        url = new URLSearchParams(body).get('response_url') ?? '';
        response.end();
      });
    }).listen(0, '127.0.0.1');
    cleanups.push(() => app.close());
    await new Promise((resolve) => app.once('listening', resolve));
    workspace.setHttpEventsUrl(`http://127.0.0.1:${String((app.address() as { port: number }).port)}/`);
    await workspace.slashCommand({ user: 'U0ANA', command: '/x', text: '' });
    const use = async () => (await fetch(url, { method: 'POST', body: JSON.stringify({ text: 'again' }) })).status;
    const statuses = [];
    for (let turn = 0; turn < 6; turn += 1) statuses.push(await use());
    expect(statuses).toEqual([200, 200, 200, 200, 200, 404]);
    expect(workspace.ephemerals('U0ANA')).toHaveLength(5);
  });
});

describe('the data file', () => {
  test('keeps messages over a restart, and survives a torn last line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slack-workspace-'));
    cleanups.push(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const dataFile = join(folder, 'data', 'slack.jsonl');
    const first = await startSlackWorkspace({ port: 0, botToken: 'xoxb-1', dataFile });
    const { ts = '' } = await clientOf(first).chat.postMessage({ channel: 'C0MEDIC', text: 'kept' });
    await clientOf(first).chat.postMessage({ channel: 'U0BOB', text: 'direct' });
    await clientOf(first).views.publish({ user_id: 'U0BOB', view: { type: 'home', blocks: [{ type: 'divider' }] } });
    await first.stop();
    appendFileSync(dataFile, '{"key":"message:C0MEDIC:9.9","val');
    const second = await start({ dataFile });
    expect(second.messages('C0MEDIC')).toMatchObject([{ text: 'kept', ts }]);
    expect(second.messages('D0BOB')).toMatchObject([{ text: 'direct' }]);
    expect(second.home('U0BOB')?.blocks).toHaveLength(1);
    await expect(second.slashCommand({ user: 'U0ANA', command: '/x', text: '' })).resolves.toMatchObject({
      acknowledged: false,
    });
    await clientOf(second).chat.update({ channel: 'C0MEDIC', ts, text: 'edited after' });
    expect(second.messages('C0MEDIC')).toMatchObject([{ text: 'edited after', edits: 1 }]);
  });
});

describe('the port', () => {
  test('when taken, is told, and leaves nothing behind', async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    await expect(startSlackWorkspace({ port, botToken: 'xoxb-1' })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('the door', () => {
  const ask = (
    workspace: SlackWorkspace,
    path: string,
    headers: Record<string, string>,
    method = 'GET',
  ): Promise<number> =>
    new Promise((resolve, reject) => {
      const asked = request(`${workspace.url}${path}`, { method, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.on('error', reject);
      asked.end(method === 'POST' ? '{}' : undefined);
    });

  test('is closed to other hosts, other sites and forms', async () => {
    const workspace = await start();
    expect(await ask(workspace, '/', {})).toBe(200);
    expect(await ask(workspace, '/', { host: 'evil.example' })).toBe(403);
    expect(await ask(workspace, '/', { host: '127.0.0.1.evil.example' })).toBe(403);
    expect(await ask(workspace, '/page/state?user=U0ANA', { origin: 'https://evil.example' })).toBe(403);
    expect(await ask(workspace, '/page/act', { 'sec-fetch-site': 'cross-site' }, 'POST')).toBe(403);
    expect(await ask(workspace, '/page/act', { origin: 'null', 'content-type': 'application/json' }, 'POST')).toBe(403);
    expect(await ask(workspace, '/page/act', { 'content-type': 'text/plain' }, 'POST')).toBe(415);
    expect(await ask(workspace, '/api/auth.test', { origin: 'https://evil.example' }, 'POST')).toBe(403);
  });
});
