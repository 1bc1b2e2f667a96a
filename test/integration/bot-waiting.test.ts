import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createSlackDirectory } from '../../bot/slack-directory.ts';
import { DEFAULT_TERMS } from '../../domain/policy.ts';
import type { ApprovalRule } from '../../domain/policy.ts';
import { decideAction } from '../../services/actions/decide-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { climbLadders } from '../../services/escalation/climb-ladders.ts';
import { poll } from '../support/poll.ts';
import type { BotStage } from './bot-stage.ts';
import { addServer, CHANNEL, openBotStage, TOKENS, waitForAnswer, waitForCard, waitUntilSettled } from './bot-stage.ts';

let stage: BotStage;
beforeEach(async () => {
  stage = await openBotStage();
  stage.plane.config.rules = [rule];
});
afterEach(() => stage.stop());

const rule: ApprovalRule = {
  ...{ ...DEFAULT_TERMS, when: {}, approvals: 1, from: ['sre'] },
  escalate: [
    { afterS: 0.01, kind: 'thread' },
    { afterS: 0.02, kind: 'approvers' },
  ],
};
const command = '/remediate';

/** Asked in Slack by ana; its card stands. */
async function ask(): Promise<{ id: string; ts: string }> {
  const server = await addServer(stage, false);
  const text = `restart-service ${server.name} service=nginx reason="it hangs"`;
  await stage.slack.slashCommand({ user: 'U0ANA', channel: CHANNEL, command, text });
  const card = await waitForCard(stage.slack, server.name, 'pending');
  const { action_id: id } = (card.metadata as { event_payload: { action_id: string } }).event_payload;
  return { id, ts: card.ts };
}

async function climbTo(id: string, step: number): Promise<void> {
  await poll(`step ${step}`, async () => {
    await climbLadders(stage.plane.ctx);
    return (await getAction(stage.plane.ctx, stage.plane.asker('ana'), id)).escalationStep === step;
  });
}

const lettersTo = (user: string): string[] => stage.slack.directMessages(user).map(({ text }) => text);

describe('a ladder in Slack', () => {
  test('reminds in the thread of the card and writes to each who may decide, once, with two bots', async () => {
    await stage.startBot();
    await stage.startBot();
    const { id, ts } = await ask();
    await climbTo(id, 2);
    await waitUntilSettled(stage);
    const thread = stage.slack.thread(CHANNEL, ts).filter((message) => message.ts !== ts);
    expect(thread.map(({ text }) => text)).toEqual([expect.stringMatching(/^Still waiting: ana asks to run/)]);
    expect(JSON.stringify(thread[0]?.blocks)).toMatch(/it hangs.*sre.*<!date\^/s);
    for (const user of ['U0BOB', 'U0CID']) {
      expect(lettersTo(user)).toEqual([expect.stringMatching(/^You may decide this: ana asks to run/)]);
      expect(JSON.stringify(stage.slack.directMessages(user)[0]?.blocks)).toContain('Open the card');
    }
    expect([...lettersTo('U0ANA'), ...lettersTo('U0EVE')]).toEqual([]);
  });

  test('writes to nobody who lost the right, or when it was decided, before the message could go', async () => {
    const bot = await stage.startBot();
    const { id } = await ask();
    await bot.stop();
    await climbTo(id, 2);
    const { config } = stage.plane;
    const bob = { ...stage.plane.asker('bob').principal, groups: [] };
    config.principals = new Map([...config.principals, ['bob', bob]]);
    await stage.startBot();
    await waitUntilSettled(stage);
    expect([lettersTo('U0BOB').length, lettersTo('U0CID').length]).toEqual([0, 1]);

    const second = await ask();
    const other = await ask();
    stage.slack.faults.outage(true);
    await climbTo(second.id, 2);
    await climbTo(other.id, 2);
    await decideAction(stage.plane.ctx, stage.plane.asker('cid'), { actionId: second.id, kind: 'approve' });
    stage.slack.faults.outage(false);
    await waitUntilSettled(stage);
    expect(lettersTo('U0CID')).toHaveLength(2); // the first and the other
    expect(stage.slack.thread(CHANNEL, second.ts).filter(({ ts }) => ts !== second.ts)).toEqual([]);
  });

  test('asks Slack who somebody is: a guest gets nothing, and a lookup that fails loses nobody', async () => {
    const { ctx } = stage.plane;
    const { apiUrl } = stage.slack;
    const log = pino({ level: 'silent' });
    ctx.slackDirectory = createSlackDirectory({ token: TOKENS.botToken, apiUrl, log, keptMs: 0 });
    await stage.startBot();
    const { id } = await ask();
    stage.slack.changePerson('U0BOB', { is_restricted: true });
    stage.slack.faults.refuseNext('users.info', 8, 'internal_error');
    await climbTo(id, 2);
    await poll('cid to be told', () => lettersTo('U0CID').length > 0);
    await waitUntilSettled(stage);
    expect([lettersTo('U0BOB').length, lettersTo('U0CID').length]).toEqual([0, 1]);
  });
});

test('a pause by command is told on the card, by whom and why, until it is over', async () => {
  const { slack } = stage;
  await stage.startBot();
  const server = await addServer(stage, false);
  const text = `restart-service ${server.name} service=nginx`;
  await slack.slashCommand({ user: 'U0ANA', channel: CHANNEL, command, text });
  await waitForCard(slack, server.name, 'pending');
  const pause = `pause ${server.name} for 2h kernel update`;
  await slack.slashCommand({ user: 'U0BOB', channel: CHANNEL, command, text: pause });
  await waitForAnswer(slack, 'U0BOB', /is paused.*ends by itself/);
  const isShown = (): boolean => {
    const card = JSON.stringify(
      slack.messages(CHANNEL).find(({ blocks }) => JSON.stringify(blocks).includes(server.name)),
    );
    return card.includes('bob') && card.includes('kernel update');
  };
  await slack.waitFor(isShown, { timeoutMs: 10_000, what: 'the card to tell the pause' });
  await slack.slashCommand({ user: 'U0BOB', channel: CHANNEL, command, text: `unpause ${server.name}` });
  await slack.waitFor(() => !isShown(), { timeoutMs: 10_000, what: 'the card to forget the pause' });
});
