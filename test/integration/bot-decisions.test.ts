import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bot } from '../../bot/bot.ts';
import { DEFAULT_TERMS } from '../../domain/policy.ts';
import { requestOn } from './bot-home-steps.ts';
import type { BotStage } from './bot-stage.ts';
import { buttonsOf, cardsOf, CHANNEL, openBotStage, waitForAnswer, waitForCard } from './bot-stage.ts';

let stage: BotStage;
let bot: Bot;
beforeAll(async () => {
  stage = await openBotStage();
  bot = await stage.startBot();
});
afterAll(() => stage.stop());

const click = (user: string, ts: string, actionId = 'medic_approve') =>
  stage.slack.click({ user, channel: CHANNEL, ts, actionId });

async function countEvents(actionId: string, event: string): Promise<number> {
  const { rows } = await stage.plane.ctx.database.pool.query<{ count: number }>(
    'select count(*)::int as count from audit_events where event = $1 and subject_id = $2',
    [event, actionId],
  );
  return rows[0]?.count ?? 0;
}

const answersTo = (user: string, server: string): string[] =>
  stage.slack
    .ephemerals(user)
    .map(({ text }) => text)
    .filter((text) => text.includes(server));

describe('two people', () => {
  test('who approve in the same instant make one decision, and both are told the truth', async () => {
    const { server, actionId, ts } = await requestOn(stage, { by: 'U0ANA' });
    await Promise.all([click('U0BOB', ts), click('U0CID', ts)]);
    await stage.slack.waitFor(() => ['U0BOB', 'U0CID'].every((user) => answersTo(user, server.name).length > 0), {
      what: 'both to be told',
    });
    const answers = ['U0BOB', 'U0CID'].flatMap((user) => answersTo(user, server.name)).toSorted();
    expect(answers).toHaveLength(2);
    expect(answers.filter((text) => text.startsWith('You approved'))).toHaveLength(1);
    expect(answers.filter((text) => /already approved by (bob|cid)/.test(text))).toHaveLength(1);
    expect(await countEvents(actionId, 'action.approved')).toBe(1);
  });

  test('who approve and reject in the same instant make one decision, too', async () => {
    const { server, actionId, ts } = await requestOn(stage, { by: 'U0ANA' });
    await click('U0CID', ts, 'medic_reject');
    const view = await stage.slack.waitFor((slack) => slack.openViews('U0CID')[0], { what: 'the form' });
    const values = { reason: { reason: { type: 'plain_text_input', value: 'not now' } } };
    await Promise.all([click('U0BOB', ts), stage.slack.submitView({ user: 'U0CID', viewId: view.id, values })]);
    await stage.slack.waitFor(() => ['U0BOB', 'U0CID'].every((user) => answersTo(user, server.name).length > 0), {
      what: 'both to be told',
    });
    const [approved, rejected] = [
      await countEvents(actionId, 'action.approved'),
      await countEvents(actionId, 'action.rejected'),
    ];
    expect(approved + rejected).toBe(1);
  });

  test('are counted on the card where two are needed', async () => {
    const { rules } = stage.plane.config;
    stage.plane.config.rules = [{ ...DEFAULT_TERMS, when: {}, approvals: 2, from: ['sre'] }];
    const { server, ts } = await requestOn(stage, { by: 'U0ANA' });
    stage.plane.config.rules = rules;
    await click('U0BOB', ts);
    await waitForAnswer(stage.slack, 'U0BOB', new RegExp(`You approved.*${server.name} \\(1 of 2\\)`));
    await stage.slack.waitFor(
      () => cardsOf(stage.slack).some((card) => card.ts === ts && card.text.includes('(1 of 2 so far)')),
      { what: 'the card to count', timeoutMs: 15_000 },
    );
    await click('U0BOB', ts);
    await waitForAnswer(stage.slack, 'U0BOB', /already decided/);
    await click('U0CID', ts);
    const card = await waitForCard(stage.slack, server.name, 'approved');
    expect(card.text).toMatch(/approved by bob and cid/);
    expect(JSON.stringify(card.blocks)).toMatch(/bob \(1 of 2\).*cid \(2 of 2\)/);
    expect(buttonsOf(card)).toEqual(['medic_cancel', 'medic_details']);
  });
});

describe('a click', () => {
  test('that is delivered five times decides once, and is answered each time', async () => {
    const { server, actionId, ts } = await requestOn(stage, { by: 'U0ANA' });
    await click('U0BOB', ts);
    const delivery = stage.slack.delivered().at(-1);
    if (delivery === undefined) throw new Error('nothing was delivered');
    await Promise.all([1, 2, 3, 4].map(() => stage.slack.deliver(delivery)));
    const approvals = () => answersTo('U0BOB', server.name);
    await stage.slack.waitFor(() => approvals().length === 5, { what: 'five answers' });
    expect(new Set(approvals())).toEqual(new Set([`You approved restart-service on ${server.name}.`]));
    expect(await countEvents(actionId, 'action.approved')).toBe(1);
    expect(await countEvents(actionId, 'decision.refused')).toBe(0);
  });

  test('on a card from before a restart decides', async () => {
    const { server, ts } = await requestOn(stage, { by: 'U0ANA' });
    await bot.stop();
    bot = await stage.startBot();
    await click('U0BOB', ts);
    await waitForAnswer(stage.slack, 'U0BOB', new RegExp(`You approved.*${server.name}`));
  });

  test('on a card of what has ended since is told what became of it', async () => {
    const { server, ts } = await requestOn(stage, { by: 'U0ANA' });
    await click('U0ANA', ts, 'medic_cancel');
    await waitForCard(stage.slack, server.name, 'cancelled');
    for (const actionId of ['medic_approve', 'medic_reject', 'medic_cancel']) {
      const before = answersTo('U0BOB', server.name).length;
      await stage.slack.click({ user: 'U0BOB', channel: CHANNEL, ts, actionId, asBeforeLastEdit: true });
      await stage.slack.waitFor(() => answersTo('U0BOB', server.name).length > before, {
        what: `${actionId} answered`,
      });
      expect(answersTo('U0BOB', server.name).at(-1)).toMatch(/was cancelled by ana at \d{4}-/);
    }
  });

  test('of the requester withdraws what nobody has decided', async () => {
    const { server, ts } = await requestOn(stage, { by: 'U0BOB' });
    await click('U0BOB', ts);
    await waitForAnswer(stage.slack, 'U0BOB', /You asked for this yourself/);
    await click('U0BOB', ts, 'medic_cancel');
    await waitForAnswer(stage.slack, 'U0BOB', /You (cancelled|withdrew)/);
    const card = await waitForCard(stage.slack, server.name, 'cancelled');
    expect(buttonsOf(card)).toEqual(['medic_details']);
  });
});
