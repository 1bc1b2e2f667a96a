import { createBot } from '../bot/bot.ts';
import { createSlackDirectory } from '../bot/slack-directory.ts';
import { CHANNEL, TOKENS } from '../test/integration/bot-stage.ts';
import { createTestControlPlane } from '../test/support/context.ts';

/*
 * The bot of bench/slack-clicks.ts in a process of its own, as `medic bot` runs it: what is measured in it does not
 * wait behind the stand-in of Slack. It says `ready` when its socket is open; `stop` ends it.
 */
const [url = '', taskQueue = '', apiUrl = ''] = process.argv.slice(2);
const plane = await createTestControlPlane({ url, taskQueue });
const { ctx } = plane;
ctx.slackDirectory = createSlackDirectory({ token: TOKENS.botToken, apiUrl, log: ctx.log });
const bot = createBot({ ctx, slack: { ...TOKENS, apiUrl, channel: CHANNEL } });

process.on('message', () => void stop());
bot.start();
process.send?.('ready');

async function stop(): Promise<void> {
  await bot.stop();
  await plane.stop();
  process.disconnect();
}
