import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Delivery } from '../../sandbox/slack/delivery/dispatcher.ts';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace, StoredMessage } from '../../sandbox/slack/workspace.ts';
import { actionIdOf, cardsOf, CHANNEL, statusOf, TOKENS, waitForAnswer } from '../integration/bot-stage.ts';
import type { MedicProcess } from '../support/medic-process.ts';
import { startMedicProcess } from '../support/medic-process.ts';
import { poll } from '../support/poll.ts';
import type { ProcessStack } from '../support/process-stack.ts';
import { startProcessStack } from '../support/process-stack.ts';

const MEDIC_YAML = `version: 1
principals:
  ana: { slack_user_id: U0ANA, roles: [operator] }
  bob: { slack_user_id: U0BOB, roles: [operator, approver] }
  cid: { slack_user_id: U0CID, roles: [approver] }
  eve: { roles: [auditor] }
  root: { roles: [admin] }
`;
const COMMANDS = 40; // enough that some are on their way whenever a bot dies
const TOLD = /You approved|already approved by/;

/** `medic api`, `medic worker` and two of `medic bot`, each a process of its own, with the agent of one server. */
let slack: SlackWorkspace;
let stack: ProcessStack;
const bots: MedicProcess[] = [];
beforeAll(async () => {
  slack = await startSlackWorkspace({ port: 0, ...TOKENS });
  const env = {
    SLACK_BOT_TOKEN: TOKENS.botToken,
    SLACK_APP_TOKEN: TOKENS.appToken,
    SLACK_API_URL: slack.apiUrl,
    MEDIC_SLACK_CHANNEL: CHANNEL,
  };
  stack = await startProcessStack({ parts: ['api', 'worker'], env, medicYaml: MEDIC_YAML });
  for (const count of [1, 2]) {
    bots.push(startMedicProcess(['bot'], stack.env)); // one by one: the first holds the oldest connection
    await slack.waitFor((ws) => ws.connections() === count, { timeoutMs: 60_000, what: `connection ${count}` });
  }
  writeFileSync(stack.gate, ''); // repairs end by themselves
  const ana = await stack.as({ principal: 'ana', role: 'operator' });
  const { items } = (await ana('GET', '/api/v1/servers')) as { items: { id: string }[] };
  await ana('PUT', `/api/v1/servers/${items[0]?.id ?? ''}/pause`, { reason: 'everything waits for a person' });
}, 180_000);
afterAll(async () => {
  for (const bot of bots) await bot.kill('SIGKILL');
  await stack.stop();
  await slack.stop();
}, 60_000);

async function requestCard(): Promise<StoredMessage> {
  const { id } = await stack.request();
  return waitForCard(id, 'pending');
}

function waitForCard(id: string, status: string): Promise<StoredMessage> {
  const find = () => cardsOf(slack).find((card) => actionIdOf(card) === id && statusOf(card) === status);
  return slack.waitFor(find, { timeoutMs: 30_000, what: `a card that is ${status}` });
}

const approve = (user: string, { ts }: StoredMessage) =>
  slack.click({ user, channel: CHANNEL, ts, actionId: 'medic_approve' });

const userOf = ({ payload }: Delivery) => (payload['user'] as { id: string }).id;

async function eventsOf(id: string): Promise<string[]> {
  const eve = await stack.as({ principal: 'eve', role: 'auditor' });
  const { items } = (await eve('GET', '/api/v1/audit?limit=1000')) as {
    items: { event: string; subject: { id: string } }[];
  };
  return items.filter(({ subject }) => subject.id === id).map(({ event }) => event);
}

/** How often an action was asked for with each reason. */
async function countReasons(): Promise<Map<string, number>> {
  const ana = await stack.as({ principal: 'ana', role: 'operator' });
  const { items } = (await ana('GET', '/api/v1/actions?limit=200')) as { items: { reason: string | null }[] };
  const counts = new Map<string, number>();
  for (const { reason } of items) counts.set(String(reason), (counts.get(String(reason)) ?? 0) + 1);
  return counts;
}

test('the API tells of both, which are other processes', async () => {
  const scrape = async () => (await fetch(`${stack.url}/metrics`)).text();
  await poll('two sockets', async () => (await scrape()).includes('medic_slack_sockets{state="connected"} 2'));
  expect(await scrape()).toMatch(/^medic_slack_disconnected_seconds 0$/m);
}, 90_000);

test('clicks of two people that reach both bots, and one of them twice, are one decision, told at each', async () => {
  const card = await requestCard();
  const id = actionIdOf(card);
  const before = slack.delivered().length;
  await Promise.all([approve('U0BOB', card), approve('U0CID', card)]);
  const clicks = slack.delivered().slice(before);
  expect(clicks.map(userOf).toSorted()).toEqual(['U0BOB', 'U0CID']);
  const again = clicks.flatMap((click) => [0, 1, 0].map((connection) => slack.deliver({ ...click, connection })));
  expect((await Promise.all(again)).every(({ acknowledged }) => acknowledged)).toBe(true);

  const answersTo = (user: string) => slack.ephemerals(user).filter(({ text }) => TOLD.test(text));
  const isTold = () => ['U0BOB', 'U0CID'].every((user) => answersTo(user).length === 4);
  await slack.waitFor(isTold, { timeoutMs: 15_000, what: 'an answer to each of the four clicks of both' });
  await waitForCard(id, 'completed');
  const winners = ['U0BOB', 'U0CID'].filter((user) =>
    answersTo(user).some(({ text }) => text.includes('You approved')),
  );
  expect(winners).toHaveLength(1);
  const events = (await eventsOf(id)).filter((event) => event.startsWith('action.')); // beside the refused click
  expect(events).toEqual(['action.requested', 'action.approved', 'action.started', 'action.completed']);
  expect(readFileSync(stack.marker, 'utf8').match(/^start /gm)).toHaveLength(1);
}, 90_000);

test('kill -9 of one in the middle: what was acknowledged is there once, and the other serves on', async () => {
  const cards = [await requestCard(), await requestCard(), await requestCard()];
  const before = slack.delivered().length;
  let acknowledged = 0;
  let died: Promise<void> | undefined;
  const send = async (sending: Promise<{ acknowledged: boolean }>): Promise<boolean> => {
    const outcome = await sending;
    if (outcome.acknowledged && ++acknowledged === 2) died = bots[0]?.kill('SIGKILL');
    return outcome.acknowledged;
  };
  const asked = Array.from({ length: COMMANDS }, (_, index) =>
    slack.slashCommand({
      user: 'U0ANA',
      channel: CHANNEL,
      command: '/remediate',
      text: `gated-repair web-1 reason="errand ${index}"`,
    }),
  );
  const clicked = cards.map((card) => approve('U0BOB', card));
  const outcomes = await Promise.all([...asked, ...clicked].map(send));
  await died;
  const sent = slack.delivered().slice(before);
  const lost = sent.filter((_, index) => outcomes[index] === false);
  expect(lost.length).toBeGreaterThan(0); // else it died too late to show anything
  const counts = await countReasons();
  const told = outcomes
    .slice(0, COMMANDS)
    .flatMap((isAcknowledged, index) => (isAcknowledged ? [`errand ${index}`] : []));
  expect(told.map((reason) => [reason, counts.get(reason)])).toEqual(told.map((reason) => [reason, 1]));

  await slack.waitFor((ws) => ws.connections() === 1, { what: 'one connection' });
  for (const delivery of lost) expect(await slack.deliver(delivery)).toMatchObject({ acknowledged: true });
  const all = await countReasons();
  const errands = Array.from({ length: COMMANDS }, (_, index) => `errand ${index}`);
  expect(errands.map((reason) => [reason, all.get(reason)])).toEqual(errands.map((reason) => [reason, 1]));
  for (const id of cards.map(actionIdOf)) {
    await waitForCard(id, 'completed');
    expect((await eventsOf(id)).filter((event) => event === 'action.approved')).toHaveLength(1);
  }
  await slack.slashCommand({ user: 'U0CID', channel: CHANNEL, command: '/remediate', text: 'help' });
  await waitForAnswer(slack, 'U0CID', /This is what I understand/);
}, 120_000);
