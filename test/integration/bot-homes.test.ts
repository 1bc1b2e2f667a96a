import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readHome } from '../../services/slack/homes.ts';
import { approveVia, asView, buttonsIn, requestOn } from './bot-home-steps.ts';
import type { BotStage } from './bot-stage.ts';
import { poll } from '../support/poll.ts';
import { addServer, CHANNEL, openBotStage, waitForCard } from './bot-stage.ts';

let stage: BotStage;
beforeAll(async () => {
  stage = await openBotStage();
  await stage.startBot();
});
afterAll(() => stage.stop());

beforeEach(async () => {
  for (const user of ['U0ANA', 'U0BOB', 'U0CID']) await stage.slack.openHome(user);
  await stage.slack.waitFor((slack) => ['U0ANA', 'U0BOB', 'U0CID'].every((user) => slack.home(user) !== undefined));
});

const homeText = (user: string): string => JSON.stringify(stage.slack.home(user)?.blocks ?? []);
const showsButtons = (user: string, actionId: string): boolean => buttonsIn(stage, user, actionId).length === 2;
const publishesTo = (user: string): number =>
  stage.slack.calls().filter(({ method, args }) => method === 'views.publish' && args['user_id'] === user).length;

/** A Home that is opened while it is being drawn is drawn once more. */
const areSettled = async (): Promise<boolean> => {
  const { rows } = await stage.plane.ctx.database.pool.query(
    'select 1 from slack_homes where digest is null or seen_seq <> (select seq from audit_head where id = 1)',
  );
  return rows.length === 0;
};

describe('Home', () => {
  test('of a person shows what they may decide, and their own requests without buttons', async () => {
    const { server, actionId } = await requestOn(stage, { by: 'U0BOB' });
    await stage.slack.waitFor(() => showsButtons('U0CID', actionId), { what: 'buttons for cid', timeoutMs: 15_000 });
    await stage.slack.waitFor(() => homeText('U0BOB').includes(server.name), { what: 'the request on bobs Home' });
    expect(buttonsIn(stage, 'U0BOB', actionId)).toEqual([]);
    await stage.slack.openHome('U0ANA');
    expect(buttonsIn(stage, 'U0ANA', actionId)).toEqual([]);
    expect(homeText('U0CID')).toContain('/usr/bin/systemctl restart nginx');
  });

  test('decides once for a click, tells what came of it, and is drawn again', async () => {
    const { server, actionId } = await requestOn(stage, { by: 'U0ANA' });
    await stage.slack.waitFor(() => showsButtons('U0BOB', actionId), { what: 'buttons for bob', timeoutMs: 15_000 });
    await approveVia(stage, { user: 'U0BOB', actionId });
    await stage.slack.waitFor(
      (slack) =>
        slack.directMessages('U0BOB').some(({ text }) => text.includes(`You approved`) && text.includes(server.name)),
      { what: 'bob to be told' },
    );
    await stage.slack.waitFor(() => !showsButtons('U0BOB', actionId), { what: 'bobs Home without it' });
    await stage.slack.waitFor(() => !showsButtons('U0CID', actionId), {
      what: 'cids Home without it',
      timeoutMs: 15_000,
    });
    await waitForCard(stage.slack, server.name, 'approved');
  });

  test('is published to those whose own changed, and to nobody else', async () => {
    const { actionId } = await requestOn(stage, { by: 'U0ANA' });
    await stage.slack.waitFor(() => showsButtons('U0CID', actionId), { what: 'buttons for cid', timeoutMs: 15_000 });
    await poll('every Home to show what there is', areSettled, { timeoutMs: 30_000 });
    const before = { ana: publishesTo('U0ANA'), cid: publishesTo('U0CID') };
    // what bob asks for and needs nobody's approval concerns neither ana nor cid
    const quiet = await addServer(stage, false);
    await stage.slack.slashCommand({
      user: 'U0BOB',
      channel: CHANNEL,
      command: '/remediate',
      text: `restart-service ${quiet.name} service=nginx`,
    });
    await stage.slack.waitFor(() => homeText('U0BOB').includes(quiet.name), { what: 'bobs Home', timeoutMs: 15_000 });
    await quiet.run();
    await stage.slack.waitFor(() => homeText('U0BOB').includes(`${quiet.name} has completed`), { timeoutMs: 15_000 });
    expect({ ana: publishesTo('U0ANA'), cid: publishesTo('U0CID') }).toEqual(before);
  });

  test('tells failures of the last day, and which servers are paused, by whom and why, with a way to unpause', async () => {
    const failing = await addServer(stage, false);
    const paused = await addServer(stage, false);
    const say = (text: string) =>
      stage.slack.slashCommand({ user: 'U0ANA', channel: CHANNEL, command: '/remediate', text });
    await say(`restart-service ${failing.name} service=nginx`);
    await failing.run({ status: 'failed', exit_code: 5 });
    await say(`pause ${paused.name} for 2h reason="a move"`);
    await stage.slack.waitFor(() => homeText('U0CID').includes(`${failing.name} has failed`), { timeoutMs: 15_000 });
    await stage.slack.waitFor(() => homeText('U0ANA').includes(`${paused.name} is paused by ana: a move`), {
      timeoutMs: 15_000,
    });
    expect(homeText('U0ANA')).toMatch(/Ends <!date\^\d+/);
    await stage.slack.clickInView({ ...asView(stage, 'U0ANA'), actionId: 'medic_unpause', value: paused.id });
    await stage.slack.waitFor(() => !homeText('U0ANA').includes(`${paused.name} is paused`), { what: 'it unpaused' });
  });

  test('opens the details in a window', async () => {
    const { actionId } = await requestOn(stage, { by: 'U0ANA' });
    await stage.slack.waitFor(() => homeText('U0ANA').includes(actionId), { timeoutMs: 15_000 });
    await stage.slack.clickInView({ ...asView(stage, 'U0ANA'), actionId: 'medic_details', value: actionId });
    const view = await stage.slack.waitFor((slack) => slack.openViews('U0ANA')[0], { what: 'the window' });
    expect(JSON.stringify(view.blocks)).toContain(actionId);
  });

  test('counts no click on a view that we did not publish to that person, or for what stands elsewhere', async () => {
    const one = await requestOn(stage, { by: 'U0ANA' });
    await stage.slack.waitFor(() => showsButtons('U0BOB', one.actionId), { timeoutMs: 15_000 });
    const view = stage.slack.home('U0BOB');
    const forge = (change: object) =>
      stage.slack.deliver({
        kind: 'interactive',
        payload: {
          type: 'block_actions',
          user: { id: 'U0CID', team_id: stage.slack.teamId },
          team: { id: stage.slack.teamId },
          api_app_id: 'A0MEDIC',
          trigger_id: '1.2.3',
          container: { type: 'view', view_id: view?.id },
          view: { ...view, type: 'home' },
          actions: [{ type: 'button', action_id: 'medic_approve', block_id: 'b', value: one.actionId }],
          ...change,
        },
      });
    const told = (pattern: RegExp) =>
      stage.slack.waitFor((slack) => slack.directMessages('U0CID').some(({ text }) => pattern.test(text)));
    await forge({}); // bob's view in cid's hands
    await told(/was not opened for you/);
    const elsewhere = await addServer(stage, true);
    await forge({
      user: { id: 'U0CID', team_id: stage.slack.teamId },
      view: { ...stage.slack.home('U0CID'), type: 'home' },
      actions: [{ type: 'button', action_id: 'medic_unpause', block_id: 'b', value: `${elsewhere.id}-x` }],
    });
    await told(/does not belong to the message/);
    await waitForCard(stage.slack, one.server.name, 'pending');
  });

  test('of somebody who is no principal any more is emptied', async () => {
    const { principals } = stage.plane.config;
    await requestOn(stage, { by: 'U0ANA' });
    stage.plane.config.principals = new Map([...principals].filter(([name]) => name !== 'cid'));
    await requestOn(stage, { by: 'U0ANA' }); // something happens, so that every Home is looked at
    await stage.slack.waitFor(() => homeText('U0CID').includes('does not know you'), { timeoutMs: 15_000 });
    stage.plane.config.principals = principals;
  });

  test('finds what one person may decide behind any number that they may not, and counts what it cannot show', async () => {
    const { plane } = stage;
    const { server, actionId } = await requestOn(stage, { by: 'U0ANA' });
    const copy = (count: number, from: string[] | null): Promise<unknown> =>
      plane.ctx.database.pool.query(
        `insert into actions select (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid()::text,
           'requested_at', a.requested_at - interval '1 hour', 'request_key', null, 'slack_ts', null,
           'approval_rule', a.approval_rule || $3::jsonb))).* from actions a, generate_series(1, $2) where a.id = $1`,
        [actionId, count, JSON.stringify({ from })],
      );
    await copy(150, ['nobody']);
    const home = await readHome(plane.ctx, plane.asker('bob'));
    expect(home.waiting.map(({ server: name }) => name)).toContain(server.name);
    expect(home.waitingCount).toBeLessThan(100);
    await copy(20, null);
    expect((await readHome(plane.ctx, plane.asker('bob'))).waitingCount).toBe(home.waitingCount + 20);
    await stage.slack.openHome('U0BOB');
    const left = `${home.waitingCount + 20 - 12} more are not shown here`;
    await stage.slack.waitFor(() => homeText('U0BOB').includes(left), { timeoutMs: 15_000, what: left });
  });
});
