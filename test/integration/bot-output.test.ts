import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { StoredMessage } from '../../sandbox/slack/workspace.ts';
import type { BotStage } from './bot-stage.ts';
import { addServer, CHANNEL, openBotStage, waitForCard } from './bot-stage.ts';

let stage: BotStage;
beforeAll(async () => {
  stage = await openBotStage();
  await stage.startBot();
});
afterAll(() => stage.stop());

async function runWith(stdout: string): Promise<{ ts: string }> {
  const server = await addServer(stage, false);
  const text = `restart-service ${server.name} service=nginx`;
  await stage.slack.slashCommand({ user: 'U0ANA', channel: CHANNEL, command: '/remediate', text });
  const bytes = Buffer.byteLength(stdout);
  const digest = `sha256:${createHash('sha256').update(stdout).digest('hex')}`;
  await server.run({ stdout, stdout_bytes: bytes, stdout_sha256: digest });
  return waitForCard(stage.slack, server.name, 'completed');
}

const filesIn = (messages: readonly StoredMessage[]): string[] =>
  messages.flatMap((message) => (message.files ?? []).map(({ id }) => String(id)));

const LONG = `first line\n${'the middle <!channel> *b*\n'.repeat(1_000)}last line`;

describe('the output of a run', () => {
  test('stands in the thread of its card, and not in the channel', async () => {
    const { ts } = await runWith('all went well <@U0ANA>');
    const [reply] = await stage.slack.waitFor((slack) => {
      const replies = slack.thread(CHANNEL, ts);
      return replies.length > 0 && replies;
    });
    expect(reply?.text).toMatch(/This is what restart-service on .* wrote to stdout\./);
    expect(JSON.stringify(reply?.blocks)).toContain('all went well <@U0ANA>');
    expect(filesIn(stage.slack.thread(CHANNEL, ts))).toEqual([]);
  });

  test('that is long has its middle left out, and is a file below', async () => {
    const { ts } = await runWith(LONG);
    const [file] = await stage.slack.waitFor(
      (slack) => {
        const files = filesIn(slack.thread(CHANNEL, ts));
        return files.length > 0 && files;
      },
      { what: 'the file', timeoutMs: 15_000 },
    );
    expect(stage.slack.fileText(file ?? '')).toContain(LONG);
    const [reply] = stage.slack.thread(CHANNEL, ts);
    expect(JSON.stringify(reply?.blocks)).toMatch(/first line.*characters are left out here.*last line/);
  });

  test('that is long stands there cut where no file may be sent', async () => {
    stage.slack.faults.refuseNext('files.getUploadURLExternal', 1, 'missing_scope');
    const { ts } = await runWith(LONG);
    await stage.slack.waitFor((slack) => slack.thread(CHANNEL, ts).length === 1, { timeoutMs: 15_000 });
    await stage.slack.waitFor(
      (slack) => slack.calls().filter(({ method }) => method === 'files.getUploadURLExternal').length === 2,
      { what: 'the refusal' },
    );
    expect(filesIn(stage.slack.thread(CHANNEL, ts))).toEqual([]);
  });
});
