import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { BotStage } from './bot-stage.ts';
import { actionIdOf, addServer, cardsOf, CHANNEL, openBotStage, statusOf, waitForAnswer } from './bot-stage.ts';

let stage: BotStage;
beforeAll(async () => {
  stage = await openBotStage();
  await stage.startBot();
});
afterAll(() => stage.stop());

const type = (text: string) =>
  stage.slack.slashCommand({ user: 'U0ANA', channel: CHANNEL, command: '/remediate', text });
const hear = (pattern: RegExp): Promise<string> => waitForAnswer(stage.slack, 'U0ANA', pattern);

test('what failed is listed, asked for again, and dismissed', async () => {
  const server = await addServer(stage, false);
  const failedOnce = async (count: number): Promise<string> => {
    await server.run({ status: 'failed', exit_code: 1 });
    const failed = () => cardsOf(stage.slack).filter((card) => statusOf(card) === 'failed');
    await stage.slack.waitFor(() => failed().length === count, { timeoutMs: 15_000, what: 'the card of the failure' });
    return actionIdOf(failed().at(-1) as ReturnType<typeof failed>[number]).slice(0, 8);
  };
  await type(`restart-service ${server.name} service=nginx`);
  const first = await failedOnce(1);
  await type(`dead-letters ${server.name}`);
  expect(await hear(/Given up on/)).toContain(first);
  await type(`replay ${first} once more`);
  await hear(/is asked for again; it needs nobody's approval/);
  const second = await failedOnce(2);
  expect(second).not.toBe(first);
  await type(`replay ${first}`);
  await hear(/was replayed already/);
  await type(`dismiss ${second} the server is gone`);
  await hear(/is dismissed: nothing more/);
  await type(`dead-letters ${server.name}`);
  await hear(/Nothing was given up on/);
  const cards = () => JSON.stringify(cardsOf(stage.slack).map(({ blocks }) => blocks));
  await stage.slack.waitFor(() => /Replay of/.test(cards()) && /Dismissed by/.test(cards()), {
    timeoutMs: 15_000,
    what: 'the cards to tell it',
  });
});
