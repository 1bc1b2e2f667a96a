import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Delivery } from '../../sandbox/slack/delivery/dispatcher.ts';
import type { BotStage } from './bot-stage.ts';
import { actionIdOf, addServer, cardsOf, CHANNEL, openBotStage, waitForAnswer, waitForCard } from './bot-stage.ts';

const command = '/remediate';
const BOTH = [0, 1]; // connections, counted from the oldest

/** Two bots, each with its own socket, clients and outbox pump, on one database. */
let stage: BotStage;
beforeAll(async () => {
  stage = await openBotStage();
  await stage.startBot();
  await stage.startBot();
  expect(stage.slack.connections()).toBe(2);
});
afterAll(() => stage.stop());

/** What was sent last, once more to each bot, at the same time. */
async function repeat(): Promise<void> {
  const captured = stage.slack.delivered().at(-1);
  if (captured === undefined) throw new Error('Nothing was sent yet.');
  const outcomes = await Promise.all(BOTH.map((connection) => stage.slack.deliver({ ...captured, connection })));
  expect(outcomes.map(({ acknowledged }) => acknowledged)).toEqual([true, true]);
}

async function eventsOf(actionId: string): Promise<string[]> {
  const rows = await stage.plane.ctx.database.kysely
    .selectFrom('audit_events')
    .select('event')
    .where('subject_id', '=', actionId)
    .orderBy('seq')
    .execute();
  return rows.map(({ event }) => event);
}

const cardsOn = (server: string) => cardsOf(stage.slack).filter((card) => JSON.stringify(card.blocks).includes(server));

test('a command, a click and a form that reach both bots, three times each, act once', async () => {
  const { slack } = stage;
  const server = await addServer(stage, true);
  const text = `restart-service ${server.name} service=nginx`;
  await slack.slashCommand({ user: 'U0ANA', channel: CHANNEL, command, text });
  await repeat();
  const card = await waitForCard(slack, server.name, 'pending');
  const actionId = actionIdOf(card);

  const running = server.run();
  await slack.click({ user: 'U0BOB', channel: CHANNEL, ts: card.ts, actionId: 'medic_approve' });
  await repeat();
  await waitForAnswer(slack, 'U0BOB', /You approved/);
  await running;
  await waitForCard(slack, server.name, 'completed');
  expect(cardsOn(server.name)).toHaveLength(1);
  expect(await eventsOf(actionId)).toEqual([
    'action.requested',
    'action.approved',
    'action.started',
    'action.completed',
  ]);
});

test('a rejection sent to both bots at once is one rejection, told each time', async () => {
  const { slack } = stage;
  const server = await addServer(stage, true);
  await slack.slashCommand({
    user: 'U0ANA',
    channel: CHANNEL,
    command,
    text: `restart-service ${server.name} service=nginx`,
  });
  const card = await waitForCard(slack, server.name, 'pending');
  await slack.click({ user: 'U0CID', channel: CHANNEL, ts: card.ts, actionId: 'medic_reject' });
  const view = await slack.waitFor((ws) => ws.openViews('U0CID')[0], { what: 'the form' });
  await slack.submitView({ user: 'U0CID', viewId: view.id, values: { reason: { reason: 'Not now, please.' } } });
  await repeat();
  await waitForCard(slack, server.name, 'rejected');
  expect(await eventsOf(actionIdOf(card))).toEqual(['action.requested', 'action.rejected']);
});

test('two people who decide through one bot each get one decision, and both are told', async () => {
  const { slack } = stage;
  const server = await addServer(stage, true);
  const text = `restart-service ${server.name} service=nginx`;
  await slack.slashCommand({ user: 'U0ANA', channel: CHANNEL, command, text });
  const card = await waitForCard(slack, server.name, 'pending');
  const sent = slack.delivered().length;
  const click = (user: string) =>
    slack.click({ user, channel: CHANNEL, ts: card.ts, actionId: 'medic_approve' }).then(() => undefined);
  await Promise.all([click('U0BOB'), click('U0CID')]);
  const users = slack
    .delivered()
    .slice(sent)
    .map(({ payload }: Delivery) => (payload['user'] as { id: string }).id);
  expect(users.toSorted()).toEqual(['U0BOB', 'U0CID']);
  await slack.waitFor(
    (ws) => {
      const told = ['U0BOB', 'U0CID'].map((user) => ws.ephemerals(user).at(-1)?.text ?? '');
      return told.some((one) => /You approved/.test(one)) && told.some((one) => /already approved by/.test(one));
    },
    { what: 'one to have approved and one to hear by whom' },
  );
  const events = await eventsOf(actionIdOf(card));
  expect(events.filter((event) => event.startsWith('action.approv'))).toHaveLength(1);
});
