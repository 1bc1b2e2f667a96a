import { afterEach, describe, expect, test } from '@jest/globals';
import bolt from '@slack/bolt';
import type { App } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace, SlackWorkspaceOptions } from '../../sandbox/slack/workspace.ts';

const TOKENS = { botToken: 'xoxb-test', appToken: 'xapp-test' };
const plain = (text: string) => ({ type: 'plain_text' as const, text });
const option = (value: string) => ({ text: plain(value), value });

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Partial<SlackWorkspaceOptions> = {}): Promise<{ slack: SlackWorkspace; api: WebClient }> {
  const slack = await startSlackWorkspace({ port: 0, ...TOKENS, ...options });
  cleanups.push(() => slack.stop());
  const api = new WebClient(TOKENS.botToken, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  return { slack, api };
}

async function connect(slack: SlackWorkspace, listen: (app: App) => void): Promise<void> {
  const clientOptions = { slackApiUrl: slack.apiUrl };
  const app = new bolt.App({
    token: TOKENS.botToken,
    appToken: TOKENS.appToken,
    socketMode: true,
    clientOptions,
    logLevel: bolt.LogLevel.ERROR,
  });
  listen(app);
  const before = slack.connections();
  await app.start();
  await slack.waitFor((ws) => ws.connections() > before, { what: 'a connection' });
  cleanups.push(() => app.stop());
}

function refusal(error: string): unknown {
  return expect.objectContaining({ data: expect.objectContaining({ error }) });
}

const FORM = {
  type: 'modal' as const,
  callback_id: 'form',
  title: plain('Form'),
  submit: plain('Send'),
  blocks: [
    {
      type: 'input' as const,
      block_id: 'count',
      label: plain('How many?'),
      element: {
        type: 'number_input' as const,
        action_id: 'count',
        is_decimal_allowed: false,
        min_value: '1',
        max_value: '5',
      },
    },
    {
      type: 'input' as const,
      block_id: 'flags',
      optional: true,
      label: plain('Which?'),
      element: { type: 'checkboxes' as const, action_id: 'flags', options: [option('fast'), option('quiet')] },
    },
    {
      type: 'input' as const,
      block_id: 'many',
      optional: true,
      label: plain('Some'),
      element: {
        type: 'multi_static_select' as const,
        action_id: 'many',
        max_selected_items: 2,
        options: [option('a'), option('b'), option('c')],
      },
    },
    {
      type: 'input' as const,
      block_id: 'note',
      optional: true,
      label: plain('Note'),
      element: { type: 'plain_text_input' as const, action_id: 'note' },
    },
    {
      type: 'actions' as const,
      block_id: 'more',
      elements: [{ type: 'button' as const, action_id: 'preview', text: plain('Preview') }],
    },
  ],
};

describe('shortcuts', () => {
  const manifest = {
    display_information: { name: 'App' },
    features: {
      slash_commands: [{ command: '/known', description: 'x' }],
      shortcuts: [
        { name: 'Ask', type: 'global', callback_id: 'ask', description: 'Asks' },
        { name: 'About this', type: 'message', callback_id: 'about', description: 'Asks about a message' },
      ],
    },
    oauth_config: { scopes: { bot: ['commands', 'chat:write'] } },
    settings: { interactivity: { is_enabled: true }, socket_mode_enabled: true },
  };

  test('open a form from anywhere, and from a message with what stands in it', async () => {
    const { slack } = await start({ manifest });
    await connect(slack, (app) => {
      app.shortcut('ask', async ({ ack, shortcut, client }) => {
        await ack();
        await client.views.open({ trigger_id: shortcut.trigger_id, view: FORM });
      });
      app.shortcut({ type: 'message_action', callback_id: 'about' }, async ({ ack, shortcut, client }) => {
        await ack();
        const view = { ...FORM, private_metadata: `${shortcut.channel.id} ${shortcut.message.text ?? ''}` };
        await client.views.open({ trigger_id: shortcut.trigger_id, view });
      });
    });
    expect(await slack.shortcut({ user: 'U0ANA', callbackId: 'ask' })).toMatchObject({ acknowledged: true });
    await slack.waitFor((ws) => ws.openViews('U0ANA').length === 1, { what: 'the form' });
    const { ts } = slack.say({ user: 'U0EVE', channel: 'C0MEDIC', text: 'till <is> down' });
    await slack.messageShortcut({ user: 'U0BOB', channel: 'C0MEDIC', ts, callbackId: 'about' });
    const view = await slack.waitFor((ws) => ws.openViews('U0BOB')[0], { what: 'the second form' });
    expect(view.private_metadata).toBe('C0MEDIC till &lt;is&gt; down');
  });

  test('and commands that the manifest does not name are not there; nor are messages that one cannot see', async () => {
    const { slack, api } = await start({ manifest });
    const outcome = (promise: Promise<{ error?: string }>) => promise.then(({ error }) => error);
    expect(await outcome(slack.shortcut({ user: 'U0ANA', callbackId: 'about' }))).toBe('shortcut_not_found');
    expect(await outcome(slack.slashCommand({ user: 'U0ANA', command: '/other', text: '' }))).toBe('command_not_found');
    const { message_ts: ts = '' } = await api.chat.postEphemeral({ channel: 'C0MEDIC', user: 'U0ANA', text: 'psst' });
    const input = { user: 'U0ANA', channel: 'C0MEDIC', ts, callbackId: 'about' };
    expect(await outcome(slack.messageShortcut(input))).toBe('message_not_found');
    expect(await outcome(slack.openHome('U0ANA'))).toBe('not_enabled');
    await expect(api.users.info({ user: 'U0ANA' })).rejects.toEqual(refusal('missing_scope'));
    const broken = { ...manifest, oauth_config: {} };
    await expect(startSlackWorkspace({ port: 0, ...TOKENS, manifest: broken })).rejects.toThrow('Slack would refuse');
  });
});

describe('forms', () => {
  const listen = (app: App): void => {
    app.command('/form', async ({ ack, command, client }) => {
      await ack();
      await client.views.open({ trigger_id: command.trigger_id, view: FORM });
    });
    app.action('preview', async ({ ack, body, client }) => {
      await ack();
      const view = (body as unknown as { view: { id: string; hash: string; state: { values: object } } }).view;
      const told = { type: 'section' as const, text: plain(JSON.stringify(view.state.values)) };
      const count = { ...FORM.blocks[0], element: { type: 'plain_text_input' as const, action_id: 'count' } };
      const blocks = [count, ...FORM.blocks.slice(1), told] as typeof FORM.blocks;
      await client.views.update({ view_id: view.id, hash: view.hash, view: { ...FORM, blocks } });
    });
    app.view('form', ({ ack }) => ack());
  };
  const open = async (slack: SlackWorkspace) => {
    await connect(slack, listen);
    await slack.slashCommand({ user: 'U0ANA', command: '/form', text: '' });
    return slack.waitFor((ws) => ws.openViews('U0ANA')[0], { what: 'the form' });
  };

  test('hold numbers to their bounds, and choices to how many there may be', async () => {
    const { slack } = await start();
    const { id: viewId } = await open(slack);
    const submit = (count: string, many: string[] = []) =>
      slack.submitView({ user: 'U0ANA', viewId, values: { count: { count }, many: { many } } });
    expect(await submit('six')).toMatchObject({ body: { errors: { count: 'Please enter a number.' } } });
    expect(await submit('1.5')).toMatchObject({ body: { errors: { count: 'Please enter a whole number.' } } });
    expect(await submit('6')).toMatchObject({ body: { errors: { count: 'This must be at most 5.' } } });
    expect(await submit('2', ['a', 'b', 'c'])).toMatchObject({ body: { errors: { many: 'Choose at most 2.' } } });
    expect(await submit('2', ['a', 'c'])).toMatchObject({ acknowledged: true });
    const values = (slack.delivered().at(-1)?.payload as { view: { state: { values: object } } }).view.state.values;
    expect(values).toMatchObject({
      count: { count: { type: 'number_input', value: '2' } },
      flags: { flags: { type: 'checkboxes', selected_options: [] } },
      many: { many: { selected_options: [{ value: 'a' }, { value: 'c' }] } },
    });
  });

  test('a click in a form carries all that was entered; an update keeps it where the element is the same', async () => {
    const { slack } = await start();
    const view = await open(slack);
    const values = { note: { note: 'kept' }, count: { count: '3' }, flags: { flags: ['quiet'] } };
    await slack.clickInView({ user: 'U0ANA', viewId: view.id, actionId: 'preview', values });
    const updated = await slack.waitFor((ws) => ws.openViews('U0ANA').find((one) => one.hash !== view.hash));
    expect(JSON.stringify(updated.blocks.at(-1))).toContain('kept');
    expect(updated.values).toMatchObject({
      note: { note: { value: 'kept' } },
      flags: { flags: { selected_options: [{ value: 'quiet' }] } },
      count: { count: { type: 'plain_text_input', value: null } },
    });
  });

  test('an update with an old hash is refused', async () => {
    const { slack, api } = await start();
    const view = await open(slack);
    await api.views.update({ view_id: view.id, hash: view.hash, view: FORM });
    await expect(api.views.update({ view_id: view.id, hash: view.hash, view: FORM })).rejects.toEqual(
      refusal('hash_conflict'),
    );
  });
});

describe('a searched menu', () => {
  test('asks from its least length on, and shows no answer that is no list of options', async () => {
    const { slack, api } = await start();
    const menu = { type: 'external_select' as const, action_id: 'where', min_query_length: 2 };
    await connect(slack, (app) => {
      app.options('where', async ({ ack, options }) => {
        await ack({ options: options.value === 'bad' ? [option('x'.repeat(151))] : [option(options.value)] });
      });
    });
    const blocks = [{ type: 'actions' as const, elements: [menu] }];
    const { ts = '' } = await api.chat.postMessage({ channel: 'C0MEDIC', text: 'x', blocks });
    const ask = (value: string) => slack.suggest({ user: 'U0ANA', channel: 'C0MEDIC', ts, actionId: 'where', value });
    expect(await ask('w')).toMatchObject({ error: 'query_too_short' });
    expect(await ask('web')).toMatchObject({ body: { options: [{ value: 'web' }] } });
    expect(await ask('bad')).toMatchObject({ error: 'invalid_options' });
  });
});

describe('people and groups', () => {
  test('tells guests, bots, strangers and those who are gone apart', async () => {
    const { slack, api } = await start();
    const ask = async (user: string) => (await api.users.info({ user })).user;
    expect(await ask('U0ANA')).toMatchObject({
      is_bot: false,
      is_restricted: false,
      deleted: false,
      team_id: 'T0MEDIC',
    });
    expect(await ask('U0GUS')).toMatchObject({ is_restricted: true, is_ultra_restricted: false });
    expect(await ask('U0UMA')).toMatchObject({ is_restricted: true, is_ultra_restricted: true });
    expect(await ask('U0SAM')).toMatchObject({ is_stranger: true, team_id: 'T0OTHER' });
    expect(await ask('U0DEE')).toMatchObject({ deleted: true });
    expect(await ask('U0ROB')).toMatchObject({ is_bot: true });
    slack.changePerson('U0ANA', { deleted: true });
    expect(await ask('U0ANA')).toMatchObject({ deleted: true });
    slack.faults.refuseNext('users.info', 1, 'internal_error');
    await expect(ask('U0ANA')).rejects.toEqual(refusal('internal_error'));
  });

  test('lists a group, and says so where there is none or the plan has none', async () => {
    const { slack, api } = await start();
    const list = (usergroup: string) => api.usergroups.users.list({ usergroup });
    expect((await list('S0DBA')).users).toEqual(['U0BOB']);
    await expect(list('S0NONE')).rejects.toEqual(refusal('no_such_subteam'));
    await expect(list('S0OLD')).rejects.toEqual(refusal('no_such_subteam'));
    slack.setUsergroups(null);
    await expect(list('S0DBA')).rejects.toEqual(refusal('plan_upgrade_required'));
    await expect(api.usergroups.list({})).rejects.toEqual(refusal('plan_upgrade_required'));
  });
});

describe('threads and files', () => {
  test('keeps an answer and a file below their message', async () => {
    const { slack, api } = await start();
    const { ts = '' } = await api.chat.postMessage({ channel: 'C0MEDIC', text: 'card' });
    await api.chat.postMessage({ channel: 'C0MEDIC', text: 'below', thread_ts: ts });
    await api.filesUploadV2({ channel_id: 'C0MEDIC', thread_ts: ts, filename: 'out.txt', content: 'a\nb\n' });
    const [text, file] = slack.thread('C0MEDIC', ts);
    expect(text).toMatchObject({ text: 'below' });
    expect(file).toMatchObject({ files: [{ name: 'out.txt', size: 4 }] });
    expect(slack.fileText(file?.files?.[0]?.id ?? '')).toBe('a\nb\n');
    const post = (thread_ts: string) => api.chat.postMessage({ channel: 'C0MEDIC', text: 'x', thread_ts });
    await expect(post('1.000001')).rejects.toEqual(refusal('thread_not_found'));
  });

  test('takes a file of the announced length only, once, and gives it out as text to save', async () => {
    const { slack, api } = await start();
    const { upload_url: url = '', file_id: id = '' } = await api.files.getUploadURLExternal({
      filename: 'x.html',
      length: 3,
    });
    const send = async (body: string) => (await fetch(url, { method: 'POST', body })).status;
    expect(await send('four')).toBe(400);
    expect(await send('<b>')).toBe(200);
    expect(await send('<b>')).toBe(404);
    const share = (channel_id: string, files: [{ id: string }]) =>
      api.files.completeUploadExternal({ files, channel_id });
    await expect(share('C0MEDIC', [{ id: 'F0NONE' }])).rejects.toEqual(refusal('file_not_found'));
    await expect(share('C0NONE', [{ id }])).rejects.toEqual(refusal('invalid_channel'));
    await share('C0MEDIC', [{ id }]);
    const saved = await fetch(`${slack.url}/files/${id}`);
    expect(saved.headers.get('content-type')).toContain('text/plain');
    expect(saved.headers.get('content-disposition')).toContain('attachment');
  });
});

describe('channels and limits', () => {
  test('refuses a post where the app was not invited', async () => {
    const { slack, api } = await start();
    slack.setChannel({ id: 'C0PRIV', name: 'private', is_member: false });
    await expect(api.chat.postMessage({ channel: 'C0PRIV', text: 'x' })).rejects.toEqual(refusal('not_in_channel'));
    slack.setChannel({ id: 'C0PRIV', name: 'private', is_archived: true });
    await expect(api.chat.postMessage({ channel: 'C0PRIV', text: 'x' })).rejects.toEqual(refusal('is_archived'));
  });

  test('lets 50 updates pass in a minute, when told to count', async () => {
    const { slack, api } = await start({ enforceRateLimits: { postBurst: 1 } });
    const { ts = '' } = await api.chat.postMessage({ channel: 'C0MEDIC', text: 'x' });
    await expect(api.chat.postMessage({ channel: 'C0MEDIC', text: 'x' })).rejects.toMatchObject({ retryAfter: 1 });
    const update = () => api.chat.update({ channel: 'C0MEDIC', ts, text: 'y' });
    for (let turn = 0; turn < 50; turn += 1) await update();
    await expect(update()).rejects.toMatchObject({ retryAfter: expect.any(Number) });
    slack.limitRates(false);
    expect((await update()).ok).toBe(true);
  });

  test('plays a captured payload again, to each of several connections', async () => {
    const { slack } = await start();
    const heard: string[] = [];
    for (const name of ['first', 'second']) {
      await connect(slack, (app) => {
        app.command('/x', ({ ack }) => {
          heard.push(name);
          return ack();
        });
      });
    }
    await slack.slashCommand({ user: 'U0ANA', command: '/x', text: '' });
    const [captured] = slack.delivered();
    if (captured === undefined) throw new Error('nothing was captured');
    await Promise.all([0, 1].map((connection) => slack.deliver({ ...captured, connection })));
    expect(heard.toSorted()).toEqual(['first', 'first', 'second']);
  });
});
