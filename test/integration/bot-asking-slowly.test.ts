import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StoredView } from '../../sandbox/slack/workspace.ts';
import { listActions } from '../../services/actions/read-actions.ts';
import type { BotStage } from './bot-stage.ts';
import { addServer, CHANNEL, openBotStage, waitForAnswer } from './bot-stage.ts';

let stage: BotStage;
beforeAll(async () => {
  stage = await openBotStage();
  await stage.startBot();
});
afterAll(() => stage.stop());

const user = 'U0BOB';
const say = (text: string) => stage.slack.slashCommand({ user, channel: CHANNEL, command: '/remediate', text });
const waitForForm = (text: string): Promise<StoredView> =>
  stage.slack.waitFor((slack) => slack.openViews(user).find((view) => JSON.stringify(view).includes(text)), {
    what: `a form with ${text}`,
    timeoutMs: 8_000,
  });
const optionOf = (name: string) => ({ text: { type: 'plain_text', text: name }, value: name });
const choose = (view: StoredView, actionId: string, selected: unknown) =>
  stage.slack.clickInView({ user, viewId: view.id, actionId, selected });

/** Nothing that reads servers is answered until the returned function is called. */
async function holdDatabase(): Promise<() => Promise<void>> {
  const client = await stage.plane.ctx.database.pool.connect();
  await client.query('begin; lock table servers in access exclusive mode');
  return async () => {
    await client.query('rollback');
    client.release();
  };
}

describe('a form, while something is slow or away', () => {
  test('opens at once, stays open, and tells in the end', async () => {
    const server = await addServer(stage, true);
    const release = await holdDatabase();
    await say('');
    const view = await waitForForm('choose the playbook first');
    await choose(view, 'playbook', 'restart-service');
    await waitForForm('param_service');
    const values = {
      param_service: { param_service: 'nginx' },
      server: { medic_server_options: optionOf(server.name) },
    };
    const began = performance.now();
    const slow = await stage.slack.submitView({ user, viewId: view.id, values });
    expect(performance.now() - began).toBeLessThan(3_000); // Slack's patience
    expect(JSON.stringify(slow.body)).toContain('takes longer than usual');
    await release();
    const shown = await waitForForm('Exactly this would run');
    expect(shown.id).toBe(view.id);
    expect(JSON.stringify(shown.blocks)).toContain('restart nginx');
    await stage.slack.submitView({ user, viewId: view.id, values: {} });
    await waitForAnswer(stage.slack, user, new RegExp(`asks to run restart-service on ${server.name}`));
    const { items } = await listActions(stage.plane.ctx, stage.plane.asker('ana'), { server: server.name });
    expect(items).toHaveLength(1);
  });

  test('tells where Slack would not open it', async () => {
    stage.slack.faults.refuseNext('views.open', 1, 'expired_trigger_id');
    await say('');
    await waitForAnswer(stage.slack, user, /Slack would not open the form, so nothing was asked/);
  });

  test('on a message takes the server that the message names', async () => {
    const server = await addServer(stage, true);
    const text = `CRITICAL: nginx on ${server.name}. does not answer`;
    const { ts } = stage.slack.say({ user: 'U0ANA', channel: CHANNEL, text });
    await stage.slack.messageShortcut({ user, channel: CHANNEL, ts, callbackId: 'medic_ask_message' });
    const view = await waitForForm('CRITICAL');
    const menu = view.blocks.find(({ block_id: id }) => id === 'server');
    expect(menu).toMatchObject({ element: { initial_option: { value: server.name } } });
    await stage.slack.closeView({ user, viewId: view.id });
  });
});
