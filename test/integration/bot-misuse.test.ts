import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { listActions } from '../../services/actions/read-actions.ts';
import type { BotStage } from './bot-stage.ts';
import { actionIdOf, addServer, CHANNEL, openBotStage, waitForAnswer, waitForCard } from './bot-stage.ts';

const command = '/remediate';
const FOREIGNER = { id: 'U0FOR', name: 'for', real_name: 'From Elsewhere', team_id: 'T0OTHER' };

let stage: BotStage;
beforeAll(async () => {
  const people = ['ana', 'bob', 'cid', 'eve'].map((name) => ({
    id: `U0${name.toUpperCase()}`,
    name,
    real_name: name,
  }));
  stage = await openBotStage({ mode: 'http', workspace: { people: [...people, FOREIGNER] } });
  await stage.startBot();
});
afterAll(() => stage.stop());

const say = (user: string, text: string, triggerId?: string) =>
  stage.slack.slashCommand({
    user,
    channel: CHANNEL,
    command,
    text,
    ...(triggerId === undefined ? {} : { triggerId }),
  });

async function askForCard(): Promise<{ server: string; ts: string; actionId: string }> {
  const server = await addServer(stage, true);
  await say('U0ANA', `restart-service ${server.name} service=nginx`);
  const card = await waitForCard(stage.slack, server.name, 'pending');
  return { server: server.name, ts: card.ts, actionId: actionIdOf(card) };
}

async function countEvents(code: string): Promise<number> {
  const { rows } = await stage.plane.ctx.database.pool.query<{ count: number }>(
    `select count(*)::int as count from audit_events where event = 'decision.refused' and body like $1`,
    [`%"code":"${code}"%`],
  );
  return rows[0]?.count ?? 0;
}

describe('a command', () => {
  test.each([
    ['aprove x', /Did you mean "approve"/],
    ['restart-servce web-1', /Did you mean "restart-service"/],
    ['restart-service no-such-server service=nginx', /There is no server/],
    ['show 00000000', /There is no action|no action/i],
    ['pause nowhere', /There is no server/],
  ])('that cannot be done is told why, only to the person who typed: %s', async (text, pattern) => {
    const outcome = await say('U0ANA', text);
    expect(outcome).toMatchObject({ acknowledged: true });
    await waitForAnswer(stage.slack, 'U0ANA', pattern);
    expect(stage.slack.messages(CHANNEL).filter(({ text: told }) => pattern.test(told))).toEqual([]);
  });

  test('whose ids hold U+0000 is refused in a sentence', async () => {
    const server = await addServer(stage, true);
    await say('U0ANA', `restart-service ${server.name} service=nginx`, 'trigger-\0');
    await waitForAnswer(stage.slack, 'U0ANA', /holds the character U\+0000/);
    const { items } = await listActions(stage.plane.ctx, stage.plane.asker('ana'), { server: server.name });
    expect(items).toEqual([]);
  });

  test('with a wrong parameter names the nearest known one', async () => {
    const server = await addServer(stage, false);
    await say('U0ANA', `restart-service ${server.name} servise=nginx`);
    await waitForAnswer(stage.slack, 'U0ANA', /Did you mean "service"/);
    await say('U0ANA', `restart-service ${server.name} service=-rf`);
    await waitForAnswer(stage.slack, 'U0ANA', /parameter service/);
  });

  test('delivered twice with one trigger asks once', async () => {
    const server = await addServer(stage, true);
    const text = `restart-service ${server.name} service=nginx`;
    await Promise.all([say('U0ANA', text, 'trigger-1'), say('U0ANA', text, 'trigger-1')]);
    await waitForCard(stage.slack, server.name, 'pending');
    const { items } = await listActions(stage.plane.ctx, stage.plane.asker('ana'), { server: server.name });
    expect(items).toHaveLength(1);
  });

  test.each(['help', 'pending', 'history', 'servers'])('%s is answered', async (verb) => {
    const before = stage.slack.ephemerals('U0BOB').length;
    await say('U0BOB', verb);
    await stage.slack.waitFor((slack) => slack.ephemerals('U0BOB').length > before, { what: `an answer to ${verb}` });
  });

  test('pauses and unpauses', async () => {
    const server = await addServer(stage, false);
    await say('U0ANA', `pause ${server.name} reason="a move"`);
    await waitForAnswer(stage.slack, 'U0ANA', /is paused/);
    await say('U0ANA', 'servers');
    await waitForAnswer(stage.slack, 'U0ANA', /paused by ana: a move/);
    await say('U0ANA', `unpause ${server.name}`);
    await waitForAnswer(stage.slack, 'U0ANA', /is not paused any more/);
  });
});

describe('a click', () => {
  test('counts once, however often it is made', async () => {
    const { ts, server } = await askForCard();
    const click = { user: 'U0CID', channel: CHANNEL, ts, actionId: 'medic_approve', asBeforeLastEdit: false };
    await stage.slack.click(click);
    await waitForAnswer(stage.slack, 'U0CID', new RegExp(`You approved.*${server}`));
    await waitForCard(stage.slack, server, 'approved');
    await stage.slack.click({ ...click, asBeforeLastEdit: true });
    await waitForAnswer(stage.slack, 'U0CID', new RegExp(`${server}.*already approved|already decided`));
  });

  test('whose value is another action than its message decides nothing', async () => {
    const one = await askForCard();
    const other = await askForCard();
    const forged = { user: 'U0BOB', channel: CHANNEL, ts: one.ts, actionId: 'medic_approve', value: other.actionId };
    await stage.slack.click(forged);
    await waitForAnswer(stage.slack, 'U0BOB', /does not belong to the message/);
    expect(await countEvents('forged_click')).toBeGreaterThanOrEqual(1);
    await waitForCard(stage.slack, other.server, 'pending');
  });

  test('of another workspace decides nothing, and is kept', async () => {
    const { ts, server } = await askForCard();
    await stage.slack.click({ user: FOREIGNER.id, channel: CHANNEL, ts, actionId: 'medic_approve' });
    await waitForAnswer(stage.slack, FOREIGNER.id, /Only people of this workspace/);
    expect(await countEvents('foreign_workspace')).toBeGreaterThanOrEqual(1);
    await waitForCard(stage.slack, server, 'pending');
  });

  test('of nobody that Medic knows, or of two, is kept as unknown', async () => {
    const { ts } = await askForCard();
    await stage.slack.click({ user: 'U0EVE', channel: CHANNEL, ts, actionId: 'medic_reject' });
    await waitForAnswer(stage.slack, 'U0EVE', /does not know you/);
    expect(await countEvents('unknown_person')).toBeGreaterThanOrEqual(1);
    const people = [...stage.plane.config.principals.values()];
    const twin = { name: 'twin', roles: ['approver' as const], slackUserId: 'U0CID', groups: [] };
    stage.plane.config.principals = new Map([...people, twin].map((person) => [person.name, person]));
    await stage.slack.click({ user: 'U0CID', channel: CHANNEL, ts, actionId: 'medic_approve' });
    await waitForAnswer(stage.slack, 'U0CID', /does not know you/);
    stage.plane.config.principals = new Map(people.map((person) => [person.name, person]));
  });
});

describe('a request over HTTP', () => {
  const payload = { type: 'block_actions', user: { id: 'U0BOB' }, actions: [] };

  test.each(['bad_signature', 'stale', 'future', 'no_signature'] as const)('with %s is 401', async (tamper) => {
    const { status, body } = await stage.slack.deliverRaw({ kind: 'interactive', payload, tamper });
    expect(status).toBe(401);
    expect(JSON.parse(body)).toMatchObject({ code: 'bad_signature' });
  });

  test('that is too large is 413', async () => {
    const large = { ...payload, filler: 'x'.repeat(1_100_000) };
    expect((await stage.slack.deliverRaw({ kind: 'event', payload: large })).status).toBe(413);
  });

  test('with a challenge is answered with it', async () => {
    const answer = await stage.slack.deliverRaw({
      kind: 'event',
      payload: { type: 'url_verification', challenge: 'c' },
    });
    expect(JSON.parse(answer.body)).toEqual({ challenge: 'c' });
  });
});

test('Home shows what waits to people, and nothing to strangers', async () => {
  const { server } = await askForCard();
  await stage.slack.openHome('U0BOB');
  await stage.slack.waitFor((slack) => JSON.stringify(slack.home('U0BOB') ?? null).includes(server));
  await stage.slack.openHome('U0EVE');
  const home = await stage.slack.waitFor((slack) => slack.home('U0EVE'));
  expect(JSON.stringify(home.blocks)).toContain('does not know you');
});
