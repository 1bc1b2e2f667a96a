import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BotStage, Mode } from './bot-stage.ts';
import {
  addServer,
  buttonsOf,
  cardsOf,
  CHANNEL,
  noticesOf,
  openBotStage,
  waitForAnswer,
  waitForCard,
} from './bot-stage.ts';

const command = '/remediate';

describe.each<Mode>(['socket', 'http'])('an action asked for over %s', (mode) => {
  let stage: BotStage;
  beforeAll(async () => {
    stage = await openBotStage({ mode });
    await stage.startBot();
  });
  afterAll(() => stage.stop());

  const ask = async (server: string, rest = ''): Promise<void> => {
    const text = `restart-service ${server} service=nginx ${rest}`;
    const outcome = await stage.slack.slashCommand({ user: 'U0ANA', channel: CHANNEL, command, text });
    expect(outcome.acknowledged).toBe(true);
  };

  test('on a paused server has one card that another person approves, edited to its end', async () => {
    const { slack } = stage;
    const server = await addServer(stage, true);
    await ask(server.name, 'reason=“it hangs”');
    const card = await waitForCard(slack, server.name, 'pending');
    expect(buttonsOf(card)).toEqual(['medic_approve', 'medic_reject', 'medic_cancel', 'medic_details', 'medic_more']);
    expect(JSON.stringify(card.blocks)).toContain('/usr/bin/systemctl restart nginx');
    expect(JSON.stringify(card.blocks)).toContain('it hangs');

    await slack.click({ user: 'U0EVE', channel: CHANNEL, ts: card.ts, actionId: 'medic_approve' });
    await waitForAnswer(slack, 'U0EVE', /does not know you/);
    await slack.click({ user: 'U0ANA', channel: CHANNEL, ts: card.ts, actionId: 'medic_approve' });
    await waitForAnswer(slack, 'U0ANA', /role approver|yourself/);
    expect((await waitForCard(slack, server.name, 'pending')).ts).toBe(card.ts);

    const running = server.run();
    await slack.click({ user: 'U0BOB', channel: CHANNEL, ts: card.ts, actionId: 'medic_approve' });
    await waitForAnswer(slack, 'U0BOB', /You approved/);
    await running;
    const ended = await waitForCard(slack, server.name, 'completed');
    expect(ended.ts).toBe(card.ts);
    expect(ended.text).toMatch(/has completed.*exit code 0/);
    expect(JSON.stringify(ended.blocks)).toMatch(/Approved by.*bob/);
    expect(buttonsOf(ended)).toEqual(['medic_details']);
    expect(cardsOf(slack).filter((one) => JSON.stringify(one.blocks).includes(server.name))).toHaveLength(1);
  });

  test('on a normal server runs at once, and a failure is told in a message of its own', async () => {
    const { slack } = stage;
    const server = await addServer(stage, false);
    await ask(server.name);
    await waitForAnswer(slack, 'U0ANA', new RegExp(`${server.name}.*id is`));
    await server.run({ status: 'failed', exit_code: 5, stderr: 'Unit <!channel> nginx.service not found.' });
    const card = await waitForCard(slack, server.name, 'failed');
    const notice = await slack.waitFor(() => noticesOf(slack).find(({ text }) => text.includes(server.name)));
    expect(notice.text).toContain('exit code 5: a unit is not loaded');
    expect(JSON.stringify(notice.blocks)).toContain('Unit <!channel> nginx.service not found.');
    expect(JSON.stringify(notice.blocks)).toContain(card.permalink);
    expect(notice.ts).not.toBe(card.ts);
    expect(buttonsOf(notice)).toEqual(['medic_details', 'medic_ask_again']);
    const [output] = await slack.waitFor(() => {
      const replies = slack.thread(CHANNEL, card.ts);
      return replies.length > 0 && replies;
    });
    expect(JSON.stringify(output?.blocks)).toContain('Unit <!channel> nginx.service not found.');
  });

  test('is rejected with a reason from the form', async () => {
    const { slack } = stage;
    const server = await addServer(stage, true);
    await ask(server.name);
    const card = await waitForCard(slack, server.name, 'pending');
    await slack.click({ user: 'U0CID', channel: CHANNEL, ts: card.ts, actionId: 'medic_reject' });
    const view = await slack.waitFor((ws) => ws.openViews('U0CID')[0], { what: 'the form' });
    expect(view.callback_id).toBe('medic_reject_reason');
    const values = { reason: { reason: { type: 'plain_text_input', value: 'Not during the sale.' } } };
    await slack.submitView({ user: 'U0CID', viewId: view.id, values });
    const ended = await waitForCard(slack, server.name, 'rejected');
    expect(JSON.stringify(ended.blocks)).toContain('Not during the sale.');
    await slack.click({
      user: 'U0BOB',
      channel: CHANNEL,
      ts: card.ts,
      actionId: 'medic_approve',
      asBeforeLastEdit: true,
    });
    await waitForAnswer(slack, 'U0BOB', /already rejected by cid/);
    expect(noticesOf(slack).filter(({ text }) => text.includes(server.name))).toEqual([]);
  });

  test('is cancelled by whoever asked for it', async () => {
    const { slack } = stage;
    const server = await addServer(stage, true);
    await ask(server.name);
    const card = await waitForCard(slack, server.name, 'pending');
    await slack.click({ user: 'U0ANA', channel: CHANNEL, ts: card.ts, actionId: 'medic_cancel' });
    await waitForAnswer(slack, 'U0ANA', /You cancelled/);
    expect(buttonsOf(await waitForCard(slack, server.name, 'cancelled'))).toEqual(['medic_details']);
  });

  test('expires when nobody decides, and says so in a message of its own', async () => {
    const { slack, plane } = stage;
    const server = await addServer(stage, true);
    plane.config.approvalTimeoutMs = 1_000;
    await ask(server.name);
    await waitForCard(slack, server.name, 'expired');
    plane.config.approvalTimeoutMs = 60_000;
    const notice = await slack.waitFor(() => noticesOf(slack).find(({ text }) => text.includes(server.name)));
    expect(notice.text).toContain('nobody decided in time');
  });
});
