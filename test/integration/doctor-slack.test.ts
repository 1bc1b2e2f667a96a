import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPTIONAL_SCOPES, SCOPES } from '../../bot/manifest.ts';
import { CHECKS, explainCheck } from '../../cli/doctor-checks.ts';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace, SlackWorkspaceOptions } from '../../sandbox/slack/workspace.ts';
import { readEnvironment } from '../../services/config/environment.ts';
import { reportSocket } from '../../services/slack/sockets.ts';
import { createTestDatabase } from '../support/database.ts';
import { startMedicProcess } from '../support/medic-process.ts';

const MEDIC_YAML = `version: 1
principals:
  ana: { slack_user_id: U0ANA, roles: [operator] }
  bob: { slack_user_id: U0BOB, roles: [approver] }
groups:
  dba: { slack_usergroup: S0DBA, members: [bob] }
`;

let slack: SlackWorkspace;
let folder: string;
let settings: Record<string, string>;

async function start(options: Partial<SlackWorkspaceOptions> = {}): Promise<void> {
  slack = await startSlackWorkspace({ port: 0, botToken: 'xoxb-1', appToken: 'xapp-1', ...options });
  settings = {
    SLACK_BOT_TOKEN: 'xoxb-1',
    SLACK_APP_TOKEN: 'xapp-1',
    SLACK_API_URL: slack.apiUrl,
    MEDIC_SLACK_CHANNEL: 'C0MEDIC',
    MEDIC_CONFIG: folder,
  };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'medic-doctor-'));
  writeFileSync(join(folder, 'medic.yaml'), MEDIC_YAML);
});
afterEach(async () => {
  await slack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What the check says, with FAIL before a remedy. */
async function look(name: string, over: Record<string, string> = {}): Promise<string> {
  const check = CHECKS.find((one) => one.name === name);
  if (check === undefined) throw new Error(`There is no check ${name}.`);
  const told = check.run(readEnvironment({ ...settings, ...over }));
  return told.catch((error: unknown) => `FAIL ${explainCheck(error)}`);
}

describe('medic doctor', () => {
  test('finds nothing wrong where all is well, and changes nothing in Slack', async () => {
    await start({ scopes: [...SCOPES, ...OPTIONAL_SCOPES] });
    expect(await look('slack_token')).toBe('medic in Medic sandbox');
    expect(await look('slack_scopes')).toBe('all that is needed is granted');
    expect(await look('slack_socket')).toMatch(/^Slack opened a socket at 127.0.0.1:\d+ and said hello$/);
    expect(await look('slack_channel')).toBe('the app is in C0MEDIC');
    expect(await look('slack_groups')).toBe('dba has 1 member');
    expect(await look('slack_people')).toBe('2 people, all members');
    expect(await look('clock')).toMatch(/^within \d s of Slack's$/);
    await slack.waitFor((ws) => ws.connections() === 0, { what: 'the socket to be closed' });
    expect(slack.calls().filter(({ method }) => /^(chat|views|files)\./.test(method))).toEqual([]);
  });

  test('names a scope that is missing, and what is lost without an optional one', async () => {
    await start({ scopes: ['commands', 'users:read'] });
    expect(await look('slack_scopes')).toBe(
      'FAIL The Slack app lacks chat:write: apply `medic slack manifest` and install the app again.',
    );
    expect(await look('slack_groups')).toMatch(/^FAIL The group dba cannot be read without the scope usergroups:read/);
    await slack.stop();
    await start({ scopes: [...SCOPES, 'usergroups:read'] });
    const told = await look('slack_scopes');
    expect(told).toMatch(/^all that is needed is granted; without channels:history/);
    expect(told).toContain('without files:write, long output is cut');
    expect(told).not.toContain('usergroups:read');
  });

  test('tells tokens that Slack does not take apart, and that Slack is away', async () => {
    await start();
    expect(await look('slack_token', { SLACK_BOT_TOKEN: 'xoxb-old' })).toMatch(
      /^FAIL Slack does not take SLACK_BOT_TOKEN \(invalid_auth\)/,
    );
    expect(await look('slack_socket', { SLACK_APP_TOKEN: 'xapp-old' })).toMatch(
      /^FAIL Slack gives no socket for SLACK_APP_TOKEN \(invalid_auth\)/,
    );
    slack.faults.outage(true);
    expect(await look('slack_token')).toBe(
      'FAIL Slack did not answer (http_503): let this machine reach it, then try again.',
    );
  });

  test('opens no socket while a bot has one, so that it takes no click from it', async () => {
    await start();
    const { url, database, drop } = await createTestDatabase();
    let most = 0;
    const isOver = (ws: SlackWorkspace): boolean => {
      most = Math.max(most, ws.connections());
      return ws.messages('C0MEDIC').some(({ text }) => text === 'over');
    };
    const watched = slack.waitFor(isOver, { timeoutMs: 20_000 });
    try {
      await reportSocket({ database }, { id: 'a-bot', isConnected: true, connectedMsAgo: 0 });
      expect(await look('slack_socket', { DATABASE_URL: url })).toMatch(/; a bot has its own, so none was opened$/);
      slack.say({ user: 'U0ANA', channel: 'C0MEDIC', text: 'over' });
      await watched;
      expect(most).toBe(0);
      await reportSocket({ database }, { id: 'a-bot', isConnected: false, connectedMsAgo: 90_000 });
      expect(await look('slack_socket', { DATABASE_URL: url })).toMatch(/and said hello$/);
    } finally {
      await drop();
    }
  });

  test('tells where something lets HTTP through and no WebSocket', async () => {
    await start();
    const way = createServer((_request, response) => {
      const { port } = way.address() as AddressInfo;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ok: true, url: `ws://127.0.0.1:${port}/link` }));
    });
    way.listen(0, '127.0.0.1');
    await once(way, 'listening');
    const { port } = way.address() as AddressInfo;
    try {
      expect(await look('slack_socket', { SLACK_API_URL: `http://127.0.0.1:${port}/api/` })).toBe(
        `FAIL No socket at 127.0.0.1:${port} (it did not open): let the firewall or proxy pass WebSockets to it.`,
      );
    } finally {
      way.closeAllConnections();
      way.close();
    }
  });

  test('says what to type where the app is not in the channel', async () => {
    await start();
    slack.setChannel({ id: 'C0PRIV', name: 'private', is_member: false });
    expect(await look('slack_channel', { MEDIC_SLACK_CHANNEL: 'C0PRIV' })).toBe(
      'FAIL The app is not in the channel C0PRIV (not_in_channel): type /invite @Medic there.',
    );
    expect(await look('slack_channel', { MEDIC_SLACK_CHANNEL: 'C0NONE' })).toContain('(channel_not_found)');
  });

  test('looks at user groups: one that is not there, and a plan without any', async () => {
    await start({ usergroups: [] });
    expect(await look('slack_groups')).toBe(
      'FAIL The group dba has no user group S0DBA in Slack (no_such_subteam): correct slack_usergroup in medic.yaml.',
    );
    slack.setUsergroups(null);
    expect(await look('slack_groups')).toBe('this workspace’s plan has none: the lists of members count');
  });

  test('names each person who could not decide', async () => {
    await start();
    slack.changePerson('U0ANA', { deleted: true });
    slack.changePerson('U0BOB', { is_ultra_restricted: true });
    expect(await look('slack_people')).toBe(
      'FAIL ana (U0ANA) is deactivated; bob (U0BOB) is a guest: correct slack_user_id in medic.yaml.',
    );
    writeFileSync(join(folder, 'medic.yaml'), MEDIC_YAML.replace('U0ANA', 'U0NONE'));
    expect(await look('slack_people')).toContain('ana (U0NONE) is not in this workspace');
  });

  test('tells a clock that is wrong, in both directions', async () => {
    await start();
    slack.faults.clockAheadS(600);
    expect(await look('clock')).toMatch(/^FAIL This clock is (599|600|601) s behind Slack's/);
    slack.faults.clockAheadS(-600);
    expect(await look('clock')).toMatch(/^FAIL This clock is (599|600|601) s ahead of Slack's/);
  });

  test('ends with 1 and one line for each check', async () => {
    await start({ scopes: ['commands', 'users:read'] });
    const medic = startMedicProcess(['doctor'], settings);
    expect(await medic.ended).toBe(1);
    const lines = medic.printed().trim().split('\n');
    expect(lines).toHaveLength(CHECKS.length + 1);
    expect(lines).toContainEqual(expect.stringMatching(/^FAIL {2}slack_scopes +The Slack app lacks chat:write/));
    expect(lines).toContainEqual(expect.stringMatching(/^ok {4}slack_token +medic in Medic sandbox/));
  }, 30_000);
});
