import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { listStandingHalts } from '../../services/halts/read-halts.ts';
import type { StoredMessage } from '../../sandbox/slack/workspace.ts';
import type { BotStage } from './bot-stage.ts';
import {
  addServer,
  buttonsOf,
  cardsOf,
  CHANNEL,
  firstBlockId,
  openBotStage,
  waitForAnswer,
  waitForCard,
} from './bot-stage.ts';

let stage: BotStage;

beforeAll(async () => {
  stage = await openBotStage();
  await stage.startBot();
});

afterAll(() => stage.stop());

const say = (user: string, text: string) =>
  stage.slack.slashCommand({ user, channel: CHANNEL, command: '/remediate', text });

const newsOf = (): StoredMessage[] =>
  stage.slack.messages(CHANNEL).filter((message) => firstBlockId(message) === 'medic_halt_news');

const waitForNews = (count: number) =>
  stage.slack.waitFor(() => newsOf()[count - 1], { what: `${count} messages of halts`, timeoutMs: 15_000 });

/** The form says what it would be refused for, before it is sent. */
async function previewUnderHalt(server: string): Promise<void> {
  await say('U0ANA', '');
  const view = await stage.slack.waitFor((slack) => slack.openViews('U0ANA')[0], { what: 'the form' });
  const choose = (actionId: string, selected: unknown) =>
    stage.slack.clickInView({ user: 'U0ANA', viewId: view.id, actionId, selected });
  await choose('playbook', 'restart-service');
  await stage.slack.waitFor((slack) => JSON.stringify(slack.openViews('U0ANA')).includes('param_service'), {
    what: 'the parameters',
  });
  await choose('medic_server_options', { text: { type: 'plain_text', text: server }, value: server });
  const values = { param_service: { param_service: 'nginx' } };
  const { body } = await stage.slack.submitView({ user: 'U0ANA', viewId: view.id, values });
  expect(JSON.stringify(body)).toContain('Everything is halted, so this cannot be asked for now');
  await stage.slack.closeView({ user: 'U0ANA', viewId: view.id });
}

describe('a halt in Slack', () => {
  test('is declared, told in the channel, shown on cards, and lifted', async () => {
    const server = await addServer(stage, true);
    await say('U0ANA', `restart-service ${server.name} service=nginx`);
    await waitForCard(stage.slack, server.name, 'pending');
    await say('U0CID', 'halt');
    await waitForAnswer(stage.slack, 'U0CID', /role/);
    await say('U0BOB', 'halt the disks fill up for 2h');
    await waitForAnswer(stage.slack, 'U0BOB', /Everything is halted: nothing of it starts any more/);
    const declared = await waitForNews(1);
    expect(declared.text).toBe('bob halted everything: from now on nothing of it starts.');
    const card = await stage.slack.waitFor(
      () => cardsOf(stage.slack).find((one) => JSON.stringify(one.blocks).includes('Everything halted by')),
      { what: 'the card to say so', timeoutMs: 15_000 },
    );
    expect(buttonsOf(card)).not.toContain('medic_approve');
    await say('U0ANA', 'servers');
    await waitForAnswer(stage.slack, 'U0ANA', new RegExp(`${server.name}: [a-z ]+, halted`));
    await stage.slack.openHome('U0CID');
    const home = await stage.slack.waitFor((slack) => slack.home('U0CID'), { what: 'the Home of cid' });
    expect(JSON.stringify(home.blocks)).toContain('Everything halted by: ');
    expect(JSON.stringify(home.blocks)).not.toContain('medic_approve');
    await previewUnderHalt(server.name);
    await say('U0ANA', `restart-service ${server.name} service=nginx`);
    await waitForAnswer(stage.slack, 'U0ANA', /Everything is halted by bob since .*: the disks fill up/);
    await say('U0ANA', 'unhalt');
    await waitForAnswer(stage.slack, 'U0ANA', /Everything may start again. Nothing had waited/);
    expect((await waitForNews(2)).text).toBe('ana lifted the halt of bob: everything may start again.');
    expect(await listStandingHalts(stage.plane.ctx, stage.plane.asker('root'))).toEqual([]);
    await say('U0ANA', 'halts');
    await waitForAnswer(stage.slack, 'U0ANA', /Nothing is halted/);
    await stage.slack.waitFor(() => cardsOf(stage.slack).find((one) => buttonsOf(one).includes('medic_approve')), {
      what: 'the card to offer it again',
      timeoutMs: 15_000,
    });
  });
});
