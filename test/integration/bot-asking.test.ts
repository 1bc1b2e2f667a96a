import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createCatalog } from '../../playbook/catalog.ts';
import type { StoredMessage, StoredView } from '../../sandbox/slack/workspace.ts';
import { listActions } from '../../services/actions/read-actions.ts';
import { pauseServer } from '../../services/servers/pause-server.ts';
import { unpauseServer } from '../../services/servers/unpause-server.ts';
import type { BotStage, Mode } from './bot-stage.ts';
import { addServer, CHANNEL, noticesOf, openBotStage, waitForAnswer, waitForCard } from './bot-stage.ts';

const ROTATE = `name: rotate-keys
title: Rotate keys
description: Makes new keys and hands them out.
risk: low
params:
  zone: { type: enum, values: [north, south], required: true }
  owner: { type: string, pattern: "[a-z]{1,8}", required: true, description: Whose keys. }
  keep: { type: integer, min: 1, max: 9, default: 3 }
  force: { type: boolean, default: false }
  folder: { type: path, within: [/srv/keys], default: /srv/keys }
timeout: 60s
max_timeout: 10m
idempotent: true
steps:
  - run: [/usr/bin/rotate, "--zone=\${zone}", "--owner=\${owner}", "--keep=\${keep}", "--force=\${force}", "\${folder}"]
`;

let stage: BotStage;
const open = async (mode: Mode): Promise<void> => {
  const people = ['ana', 'bob', 'cid', 'eve'].map((name) => ({ id: `U0${name.toUpperCase()}`, name, real_name: name }));
  stage = await openBotStage({ mode, workspace: { people } });
  const { playbooks } = createCatalog([{ file: 'rotate-keys.yaml', text: ROTATE }]);
  stage.plane.config.playbooks = new Map([...stage.plane.config.playbooks, ...playbooks]);
  await stage.startBot();
};

const say = (user: string, text: string) =>
  stage.slack.slashCommand({ user, channel: CHANNEL, command: '/remediate', text });

/** The form of that person, as soon as it holds this text. */
const waitForForm = (user: string, text: string): Promise<StoredView> =>
  stage.slack.waitFor((slack) => slack.openViews(user).find(({ blocks }) => JSON.stringify(blocks).includes(text)), {
    what: `a form of ${user} with ${text}`,
  });

const choose = (user: string, view: StoredView, actionId: string, selected: unknown) =>
  stage.slack.clickInView({ user, viewId: view.id, actionId, selected });

const optionOf = (name: string) => ({ text: { type: 'plain_text', text: name }, value: name });

/** Opens the form, chooses what and where, and sees what that needs. */
async function chooseRestart(user: string, server: string): Promise<StoredView> {
  await say(user, '');
  const empty = await waitForForm(user, 'choose the playbook first');
  await choose(user, empty, 'playbook', 'restart-service');
  const chosen = await waitForForm(user, 'param_service');
  await choose(user, chosen, 'medic_server_options', optionOf(server));
  return chosen;
}

const submit = (user: string, view: StoredView, values: Record<string, Record<string, unknown>> = {}) =>
  stage.slack.submitView({ user, viewId: view.id, values });

const countActions = async (server: string): Promise<number> =>
  (await listActions(stage.plane.ctx, stage.plane.asker('ana'), { server })).items.length;

const inputsOf = (view: StoredView): Record<string, unknown> =>
  Object.fromEntries(
    view.blocks
      .filter(({ type }) => type === 'input')
      .map((block) => [String(block['block_id']), (block['element'] as { type: string }).type]),
  );

describe.each<Mode>(['socket', 'http'])('asking in Slack over %s', (mode) => {
  beforeAll(() => open(mode));
  afterAll(() => stage.stop());

  test('/remediate alone opens a form whose inputs come from the parameters of the chosen playbook', async () => {
    await say('U0BOB', '');
    const empty = await waitForForm('U0BOB', 'choose the playbook first');
    expect(inputsOf(empty)).toEqual({
      playbook: 'static_select',
      server: 'external_select',
      reason: 'plain_text_input',
    });
    await choose('U0BOB', empty, 'playbook', 'rotate-keys');
    const chosen = await waitForForm('U0BOB', 'param_zone');
    expect(inputsOf(chosen)).toEqual({
      playbook: 'static_select',
      param_zone: 'static_select',
      param_owner: 'plain_text_input',
      param_keep: 'number_input',
      param_force: 'checkboxes',
      param_folder: 'plain_text_input',
      server: 'external_select',
      reason: 'plain_text_input',
    });
    const text = JSON.stringify(chosen.blocks);
    for (const hint of [
      'Whose keys. 1 to 8 characters of a–z ([a-z]{1,8}).',
      'A whole number, 1 to 9.',
      'within /srv/keys',
    ]) {
      expect(text).toContain(hint);
    }
    await stage.slack.closeView({ user: 'U0BOB', viewId: chosen.id });
  });

  test('servers are searched by name and tag', async () => {
    const [one, other] = [await addServer(stage, true), await addServer(stage, false)];
    await say('U0BOB', '');
    const view = await waitForForm('U0BOB', 'choose the playbook first');
    const search = async (value: string) => {
      const query = { user: 'U0BOB', viewId: view.id, actionId: 'medic_server_options', value };
      const { body } = await stage.slack.suggest(query);
      return (body as { options: { value: string; description: { text: string } }[] }).options;
    };
    expect((await search('')).map(({ value }) => value)).toEqual(expect.arrayContaining([one.name, other.name]));
    const found = await search(one.name.slice(4).toUpperCase());
    expect(found.map(({ value }) => value)).toEqual([one.name]);
    expect(found[0]?.description.text).toContain('never heard of, paused by');
    expect(await search('100%_\\')).toEqual([]);
    await stage.slack.closeView({ user: 'U0BOB', viewId: view.id });
  });

  test('shows the exact argv, the rule and who may approve before it asks, and asks for just that', async () => {
    const server = await addServer(stage, true);
    const view = await chooseRestart('U0BOB', server.name);
    const shown = await submit('U0BOB', view, { param_service: { param_service: 'nginx' } });
    expect(shown.body).toMatchObject({ response_action: 'update', view: { submit: { text: 'Ask for approval' } } });
    const preview = JSON.stringify(shown.body);
    for (const fact of ['/usr/bin/systemctl restart nginx', 'One person', '"cid, root"', 'never ended on']) {
      expect(preview).toContain(fact);
    }
    expect(await countActions(server.name)).toBe(0);
    const changed = await submit('U0BOB', view, { param_service: { param_service: 'haproxy' } });
    expect(JSON.stringify(changed.body)).toContain('has changed since it was shown');
    expect(await countActions(server.name)).toBe(0);
    const sent = await submit('U0BOB', view, { reason: { reason: 'from the form' } });
    expect(sent).toMatchObject({ acknowledged: true });
    const card = await waitForCard(stage.slack, server.name, 'pending');
    expect(JSON.stringify(card.blocks)).toContain('from the form');
    expect(JSON.stringify(card.blocks)).toContain('restart haproxy');
    expect(stage.slack.openViews('U0BOB')).toEqual([]);
  });

  test('says before sending that nobody needs to approve, and asks again where that has changed meanwhile', async () => {
    const server = await addServer(stage, false);
    const view = await chooseRestart('U0ANA', server.name);
    const shown = await submit('U0ANA', view, { param_service: { param_service: 'nginx' } });
    expect(JSON.stringify(shown.body)).toContain("This needs nobody's approval");
    expect(shown.body).toMatchObject({ view: { submit: { text: 'Run it' } } });
    await pauseServer(stage.plane.ctx, stage.plane.asker('ana'), { server: server.name, reason: 'a move' });
    const again = await submit('U0ANA', view);
    expect(JSON.stringify(again.body)).toContain('has changed since it was shown');
    expect(JSON.stringify(again.body)).toContain('is paused by ana: a move');
    await unpauseServer(stage.plane.ctx, stage.plane.asker('ana'), { server: server.name });
    expect((await submit('U0ANA', view)).body).toMatchObject({ response_action: 'update' });
    expect(await countActions(server.name)).toBe(0);
    await submit('U0ANA', view);
    await waitForAnswer(stage.slack, 'U0ANA', new RegExp(`${server.name}.*Approved by auto`));
    expect(await countActions(server.name)).toBe(1);
  });

  test('tells what is wrong at its field, all of it at once', async () => {
    const server = await addServer(stage, false);
    await say('U0BOB', '');
    const empty = await waitForForm('U0BOB', 'choose the playbook first');
    await choose('U0BOB', empty, 'playbook', 'rotate-keys');
    const view = await waitForForm('U0BOB', 'param_zone');
    await choose('U0BOB', view, 'medic_server_options', optionOf(server.name));
    const wrong = await submit('U0BOB', view, {
      param_zone: { param_zone: 'north' },
      param_owner: { param_owner: 'NOBODY' },
      param_folder: { param_folder: '/etc' },
    });
    expect(wrong.body).toEqual({
      response_action: 'errors',
      errors: {
        param_owner: 'The parameter owner must match [a-z]{1,8} as a whole.',
        param_folder: 'The parameter folder must lie within /srv/keys.',
      },
    });
    const gone = await submit('U0BOB', view, {
      param_owner: { param_owner: 'ops' },
      param_folder: { param_folder: '' },
      server: { medic_server_options: optionOf('no-such-server') },
    });
    expect(gone.body).toMatchObject({ errors: { server: expect.stringContaining('There is no server') } });
    const right = await submit('U0BOB', view, {
      param_force: { param_force: ['true'] },
      server: { medic_server_options: optionOf(server.name) },
    });
    const argv = '/usr/bin/rotate --zone=north --owner=ops --keep=3 --force=true /srv/keys';
    expect(JSON.stringify(right.body)).toContain(argv);
    await stage.slack.closeView({ user: 'U0BOB', viewId: view.id });
  });

  test('shows how the playbook ended there before', async () => {
    const server = await addServer(stage, false);
    for (const exitCode of [0, 5]) {
      await say('U0ANA', `restart-service ${server.name} service=nginx`);
      await server.run(exitCode === 0 ? {} : { status: 'failed', exit_code: exitCode });
      await waitForCard(stage.slack, server.name, exitCode === 0 ? 'completed' : 'failed');
    }
    const view = await chooseRestart('U0ANA', server.name);
    const { body } = await submit('U0ANA', view, { param_service: { param_service: 'nginx' } });
    const lines = JSON.stringify(body).match(/(?:completed|failed[^,]*), asked by ana, /g);
    expect(lines).toEqual([
      'failed (a step failed; exit code 5: a unit is not loaded), asked by ana, ',
      'completed, asked by ana, ',
    ]);
    await stage.slack.closeView({ user: 'U0ANA', viewId: view.id });
  });

  test('asked again, is filled in as the request was, and shows what that would do now', async () => {
    const server = await addServer(stage, false);
    await say('U0ANA', `restart-service ${server.name} service=nginx reason="it hangs"`);
    await server.run({ status: 'failed', exit_code: 1 });
    const notice = await stage.slack.waitFor(
      (slack) => noticesOf(slack).find(({ blocks }) => JSON.stringify(blocks).includes(server.name)),
      { what: 'the notice', timeoutMs: 15_000 },
    );
    const click = { user: 'U0ANA', channel: CHANNEL, ts: notice.ts, actionId: 'medic_ask_again' };
    await stage.slack.click(click);
    const view = await waitForForm('U0ANA', 'This needs nobody');
    expect(JSON.stringify(view.blocks)).toContain('it hangs');
    await submit('U0ANA', view);
    await stage.slack.waitFor((slack) => slack.openViews('U0ANA').length === 0, { what: 'the form to close' });
    expect(await countActions(server.name)).toBe(2);
  });

  test('wants a reason at its field where the rule does', async () => {
    const { config } = stage.plane;
    const { rules } = config;
    config.rules = rules.map((rule) => ({ ...rule, isReasonRequired: true }));
    const server = await addServer(stage, true);
    const view = await chooseRestart('U0BOB', server.name);
    await submit('U0BOB', view, { param_service: { param_service: 'nginx' } });
    const [drawn] = stage.slack.openViews('U0BOB');
    expect(drawn?.blocks.find(({ block_id: id }) => id === 'reason')).toMatchObject({ optional: false });
    const refused = await submit('U0BOB', view, { reason: { reason: '   ' } });
    expect(refused.body).toMatchObject({ response_action: 'errors', errors: { reason: expect.any(String) } });
    await submit('U0BOB', view, { reason: { reason: 'it hangs' } });
    await waitForCard(stage.slack, server.name, 'pending');
    config.rules = rules;
  });

  test('the global shortcut opens the form', async () => {
    await stage.slack.shortcut({ user: 'U0ANA', callbackId: 'medic_ask' });
    const view = await waitForForm('U0ANA', 'choose the playbook first');
    await stage.slack.closeView({ user: 'U0ANA', viewId: view.id });
  });

  test('the shortcut on a message takes what it says as the reason, with the way back', async () => {
    const message: StoredMessage = stage.slack.say({
      user: 'U0EVE',
      channel: CHANNEL,
      text: `nginx on web-1 is <down> & out ${'.'.repeat(1_200)}`,
    });
    const used = { user: 'U0ANA', channel: CHANNEL, ts: message.ts, callbackId: 'medic_ask_message' };
    await stage.slack.messageShortcut(used);
    const view = await waitForForm('U0ANA', 'nginx on web-1');
    const reason = view.blocks.find(({ block_id: id }) => id === 'reason')?.['element'] as { initial_value: string };
    expect(reason.initial_value).toMatch(
      /^nginx on web-1 is <down> & out \.+…\nhttps?:\/\/\S+\/archives\/C0MEDIC\/p\d+$/,
    );
    expect(reason.initial_value.length).toBeLessThanOrEqual(1_000);
    await stage.slack.closeView({ user: 'U0ANA', viewId: view.id });
  });

  test('who may not ask is told so, and gets no form', async () => {
    await say('U0CID', '');
    await waitForAnswer(stage.slack, 'U0CID', /takes the role/);
    await stage.slack.shortcut({ user: 'U0EVE', callbackId: 'medic_ask' });
    await stage.slack.waitFor(
      (slack) =>
        [...slack.ephemerals('U0EVE'), ...slack.directMessages('U0EVE')].some(({ text }) =>
          /does not know you/.test(text),
        ),
      { what: 'eve to be told' },
    );
    expect([...stage.slack.openViews('U0CID'), ...stage.slack.openViews('U0EVE')]).toEqual([]);
  });

  test('a form counts only for the person whom it was opened for, and as it was made', async () => {
    const server = await addServer(stage, true);
    const view = await chooseRestart('U0BOB', server.name);
    await submit('U0BOB', view, { param_service: { param_service: 'nginx' } });
    const sent = stage.slack.delivered().findLast(({ payload }) => payload['type'] === 'view_submission');
    const payload = { ...sent?.payload, view: stage.slack.openViews('U0BOB')[0] } as Record<string, unknown>;
    const ana = { ...(payload['user'] as object), id: 'U0ANA', name: 'ana', username: 'ana' };
    const state = (sent?.payload['view'] as { state: object }).state;
    const shown = { ...(payload['view'] as object), state };
    const foreign = await stage.slack.deliver({ kind: 'interactive', payload: { ...payload, view: shown, user: ana } });
    expect(JSON.stringify(foreign.body)).toContain('was not opened for you');
    const metadata = (shown as { private_metadata?: string }).private_metadata ?? '';
    const forged = { ...shown, private_metadata: metadata.replace(CHANNEL, 'C0OTHER') };
    const changed = await stage.slack.deliver({ kind: 'interactive', payload: { ...payload, view: forged } });
    expect(JSON.stringify(changed.body)).toContain('was not opened for you');
    expect(await countActions(server.name)).toBe(0);
    const { rows } = await stage.plane.ctx.database.pool.query<{ count: number }>(
      `select count(*)::int as count from audit_events where event = 'decision.refused' and body like '%"code":"forged_form"%'`,
    );
    expect(rows[0]?.count).toBe(2);
    await submit('U0BOB', view);
    await waitForCard(stage.slack, server.name, 'pending');
    await stage.slack.deliver({ kind: 'interactive', payload: { ...payload, view: shown } });
    expect(await countActions(server.name)).toBe(1);
  });
});
