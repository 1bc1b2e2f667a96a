import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import bolt from '@slack/bolt';
import type { App, types } from '@slack/bolt';
import { SocketModeClient } from '@slack/socket-mode';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace } from '../../sandbox/slack/workspace.ts';

type ModalView = types.ModalView;

const TOKENS = { botToken: 'xoxb-test', appToken: 'xapp-test', signingSecret: 'secret' };
const FORM: ModalView = {
  type: 'modal',
  callback_id: 'form',
  title: { type: 'plain_text', text: 'Reason' },
  submit: { type: 'plain_text', text: 'Send' },
  blocks: [
    {
      type: 'input',
      block_id: 'reason',
      label: { type: 'plain_text', text: 'Why?' },
      element: { type: 'plain_text_input', action_id: 'reason' },
    },
  ],
};

const STACK: ModalView = {
  ...FORM,
  callback_id: 'first',
  blocks: [
    {
      type: 'input',
      block_id: 'where',
      label: { type: 'plain_text', text: 'Where?' },
      element: { type: 'external_select', action_id: 'server', min_query_length: 0 },
    },
  ],
};

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A bot that uses every way of answering. */
function listen(app: App): void {
  app.command('/remediate', async ({ ack, command, client, respond }) => {
    if (command.text === 'slow') return;
    if (command.text === 'form') {
      await ack();
      await client.views.open({ trigger_id: command.trigger_id, view: FORM });
    } else if (command.text === 'stack') {
      await ack();
      await client.views.open({ trigger_id: command.trigger_id, view: STACK });
    } else if (command.text === 'later') {
      await ack();
      await respond({ text: 'later' });
    } else await ack({ text: `heard ${command.text}` });
  });
  app.action('go', async ({ ack, body, client, respond }) => {
    await ack();
    const click = body as unknown as {
      message: { ts: string; metadata: { event_type: string } };
      channel: { id: string };
    };
    await client.chat.update({
      channel: click.channel.id,
      ts: click.message.ts,
      text: `was ${click.message.metadata.event_type}`,
    });
    await respond({ text: 'done', replace_original: false });
  });
  app.view('form', async ({ ack, view }) => {
    const reason = view.state.values['reason']?.['reason']?.value ?? '';
    if (reason === 'bad') await ack({ response_action: 'errors', errors: { reason: 'Not a reason.' } });
    else await ack();
  });
  app.options('server', async ({ ack, options }) => {
    await ack({ options: [{ text: { type: 'plain_text', text: options.value }, value: options.value }] });
  });
  app.view('first', async ({ ack }) => {
    await ack({ response_action: 'push', view: { ...FORM, callback_id: 'second' } });
  });
  app.view('second', async ({ ack }) => {
    await ack({ response_action: 'clear' });
  });
  app.event('app_home_opened', async ({ event, client }) => {
    await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [{ type: 'divider' }] } });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(mode: 'socket' | 'http'): Promise<SlackWorkspace> {
  const workspace = await startSlackWorkspace({ port: 0, ...TOKENS });
  cleanups.push(() => workspace.stop());
  const common = {
    token: TOKENS.botToken,
    clientOptions: { slackApiUrl: workspace.apiUrl },
    logLevel: bolt.LogLevel.ERROR,
  };
  const app =
    mode === 'socket'
      ? new bolt.App({ ...common, socketMode: true, appToken: TOKENS.appToken })
      : new bolt.App({ ...common, signingSecret: TOKENS.signingSecret });
  listen(app);
  if (mode === 'socket') {
    await app.start();
    await workspace.waitFor((ws) => ws.connections() > 0, { what: 'a connection' });
  } else {
    const port = await freePort();
    await app.start(port);
    workspace.setHttpEventsUrl(`http://127.0.0.1:${String(port)}/slack/events`);
  }
  cleanups.push(() => app.stop());
  return workspace;
}

async function postCard(workspace: SlackWorkspace): Promise<string> {
  const response = await fetch(`${workspace.apiUrl}chat.postMessage`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKENS.botToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      channel: 'C0MEDIC',
      text: 'card',
      metadata: { event_type: 'medic_action', event_payload: { action_id: 'a1' } },
      blocks: [
        {
          type: 'actions',
          elements: [{ type: 'button', action_id: 'go', value: 'a1', text: { type: 'plain_text', text: 'Go' } }],
        },
      ],
    }),
  });
  return ((await response.json()) as { ts: string }).ts;
}

describe.each(['socket', 'http'] as const)('a Bolt app over %s', (mode) => {
  test('answers a command privately, at once and later', async () => {
    const workspace = await start(mode);
    const outcome = await workspace.slashCommand({ user: 'U0ANA', command: '/remediate', text: 'help' });
    expect(outcome).toMatchObject({ acknowledged: true });
    await workspace.slashCommand({ user: 'U0ANA', command: '/remediate', text: 'later' });
    const texts = await workspace.waitFor(
      (ws) => ws.ephemerals('U0ANA').length === 2 && ws.ephemerals('U0ANA').map((m) => m.text),
    );
    expect(texts).toEqual(['heard help', 'later']);
    expect(workspace.messages('C0MEDIC')).toEqual([]);
    expect(workspace.ephemerals('U0BOB')).toEqual([]);
  });

  test('tells the person about a fourth second', async () => {
    const workspace = await start(mode);
    const outcome = await workspace.slashCommand({ user: 'U0ANA', command: '/remediate', text: 'slow' });
    expect(outcome).toMatchObject({ acknowledged: false, error: 'operation_timeout' });
    expect(outcome.ms).toBeGreaterThanOrEqual(2_900);
  });

  test('gets a click with the message and its metadata, and edits the message', async () => {
    const workspace = await start(mode);
    const ts = await postCard(workspace);
    const outcome = await workspace.click({ user: 'U0BOB', channel: 'C0MEDIC', ts, actionId: 'go' });
    expect(outcome.acknowledged).toBe(true);
    await workspace.waitFor((ws) => ws.ephemerals('U0BOB').length === 1);
    expect(workspace.messages('C0MEDIC')).toMatchObject([{ ts, text: 'was medic_action', edits: 1 }]);
  });

  test('opens a form, refuses what is wrong in it, and closes it', async () => {
    const workspace = await start(mode);
    await workspace.slashCommand({ user: 'U0ANA', command: '/remediate', text: 'form' });
    const view = await workspace.waitFor((ws) => ws.openViews('U0ANA')[0], { what: 'the form' });
    const submit = (reason: string) =>
      workspace.submitView({ user: 'U0ANA', viewId: view.id, values: { reason: { reason } } });
    expect(await submit('')).toMatchObject({ acknowledged: false, error: 'missing_required_fields' });
    expect(await submit('bad')).toMatchObject({ body: { errors: { reason: 'Not a reason.' } } });
    expect(workspace.openViews('U0ANA')).toHaveLength(1);
    expect(await submit('good')).toMatchObject({ acknowledged: true });
    expect(workspace.openViews('U0ANA')).toEqual([]);
  });

  test('searches a menu, stacks a second form on the first, and clears both', async () => {
    const workspace = await start(mode);
    await workspace.slashCommand({ user: 'U0ANA', command: '/remediate', text: 'stack' });
    const view = await workspace.waitFor((ws) => ws.openViews('U0ANA')[0], { what: 'the form' });
    const found = await workspace.suggest({ user: 'U0ANA', viewId: view.id, actionId: 'server', value: 'web-1' });
    const [option] = (found.body as { options: unknown[] }).options;
    expect(option).toMatchObject({ value: 'web-1' });
    await workspace.submitView({ user: 'U0ANA', viewId: view.id, values: { where: { server: option } } });
    const [, second] = workspace.openViews('U0ANA');
    expect(second).toMatchObject({ callback_id: 'second', previous_view_id: view.id, root_view_id: view.id });
    await workspace.submitView({ user: 'U0ANA', viewId: second?.id ?? '', values: { reason: { reason: 'because' } } });
    expect(workspace.openViews('U0ANA')).toEqual([]);
  });

  test('publishes a home when it is opened', async () => {
    const workspace = await start(mode);
    await workspace.openHome('U0CID');
    const home = await workspace.waitFor((ws) => ws.home('U0CID'));
    expect(home.blocks).toHaveLength(1);
  });
});

describe('the transports', () => {
  test('refuses forged and old requests at the app when they are tampered with', async () => {
    const workspace = await start('http');
    const payload = {
      command: '/remediate',
      text: 'help',
      team_id: 'T0MEDIC',
      user_id: 'U0ANA',
      channel_id: 'C0MEDIC',
    };
    expect((await workspace.deliverRaw({ kind: 'command', payload })).status).toBe(200);
    for (const tamper of ['bad_signature', 'stale', 'no_signature'] as const) {
      expect((await workspace.deliverRaw({ kind: 'command', payload, tamper })).status).toBe(401);
    }
  });

  test('tells that nobody listens', async () => {
    const workspace = await startSlackWorkspace({ port: 0, ...TOKENS });
    cleanups.push(() => workspace.stop());
    const outcome = await workspace.slashCommand({ user: 'U0ANA', command: '/remediate', text: '' });
    expect(outcome).toMatchObject({ acknowledged: false, error: 'dispatch_failed' });
  });

  test('give a payload to one of several connections, and to another after a disconnect', async () => {
    const workspace = await startSlackWorkspace({ port: 0, ...TOKENS });
    cleanups.push(() => workspace.stop());
    const heard: string[] = [];
    for (const name of ['first', 'second']) {
      const client = new SocketModeClient({
        appToken: TOKENS.appToken,
        clientOptions: { slackApiUrl: workspace.apiUrl },
        clientPingTimeout: 300,
      });
      client.on('slash_commands', ({ ack }: { ack: () => Promise<void> }) => {
        heard.push(name);
        void ack();
      });
      await client.start();
      cleanups.push(() => client.disconnect());
    }
    const ask = () => workspace.slashCommand({ user: 'U0ANA', command: '/remediate', text: '' });
    expect((await ask()).acknowledged && (await ask()).acknowledged).toBe(true);
    expect(heard.sort()).toEqual(['first', 'second']);
    workspace.faults.disconnectSockets();
    expect(workspace.connections()).toBe(0);
    await workspace.waitFor((ws) => ws.connections() === 2, { what: 'both to come back' });
    expect((await ask()).acknowledged).toBe(true);
    expect(heard).toHaveLength(3);
  });
});
