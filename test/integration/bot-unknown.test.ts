import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readOutboxBacklog } from '../../db/repositories/outbox.repository.ts';
import type { StoredMessage } from '../../sandbox/slack/workspace.ts';
import { describeEnd } from '../../services/actions/describe-end.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { showUnknown } from '../../services/actions/show-unknown.ts';
import { toActionJson } from '../../api/routes/actions/schemas.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import type { BotStage } from './bot-stage.ts';
import { addServer, openBotStage, waitForCard, waitUntilSettled } from './bot-stage.ts';

let stage: BotStage;
beforeAll(async () => {
  stage = await openBotStage();
  await stage.startBot();
});
afterAll(() => stage.stop());

/** Nothing is heard of this server for an hour; answers with when something was. */
async function fallSilent(serverId: string): Promise<Date> {
  const { rows } = await stage.plane.ctx.database.pool.query<{ last_seen_at: Date }>(
    `update servers set last_seen_at = last_seen_at - interval '1 hour' where id = $1 returning last_seen_at`,
    [serverId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('there is no such server');
  return row.last_seen_at;
}

test('a card says since when nobody knows what becomes of what was handed out, until its agent is heard of again', async () => {
  const { ctx, asker } = stage.plane;
  const server = await addServer(stage, false);
  const params = { service: 'nginx' };
  const { id } = await requestAction(ctx, asker('ana'), { server: server.name, playbook: 'restart-service', params });
  const read = async () => toActionJson(await getAction(ctx, asker('ana'), id));
  const drawCard = async (status: string): Promise<StoredMessage> => {
    await showUnknown(ctx);
    await waitUntilSettled(stage);
    return waitForCard(stage.slack, server.name, status);
  };
  const agent = createScriptedAgent(ctx, server.id);
  expect(await read()).toMatchObject({ handed_out_at: null, unknown_since: null });

  const command = await agent.fetchCommand();
  expect(await read()).toMatchObject({ status: 'approved', handed_out_at: expect.any(String), unknown_since: null });
  const silentSince = await fallSilent(server.id);
  const handedOut = await drawCard('approved');
  expect(await read()).toMatchObject({ status: 'approved', unknown_since: silentSince.toISOString() });
  expect(handedOut.text).toMatch(/was handed to its agent\. Nothing is heard of its agent: .* not known\.$/);
  const ofThen = String(Math.floor(silentSince.getTime() / 1000));
  expect(JSON.stringify(handedOut.blocks)).toMatch(new RegExp(`Handed out.*Unknown since.*${ofThen}`));

  await agent.beatOnce({ running: [command.command_id] });
  const running = await drawCard('executing');
  expect(running.text).toMatch(/ is running at step 1 of 1, /);
  expect(JSON.stringify(running.blocks)).not.toContain('Unknown since');

  await fallSilent(server.id);
  expect((await drawCard('executing')).text).toMatch(/ was running at step 1 of 1, .* not known\.$/);
  expect(describeEnd(await getAction(ctx, asker('ana'), id))).toMatch(
    / was running, of which nothing is heard since .* not known\.$/,
  );
  await showUnknown(ctx);
  expect(await readOutboxBacklog(ctx.database)).toMatchObject({ count: 0 }); // told once

  await agent.beatOnce({ running: [command.command_id] });
  expect((await drawCard('executing')).text).toMatch(/ is running at step 1 of 1, /);

  await agent.beatOnce({ results: [createResult(command)] });
  expect(JSON.stringify((await drawCard('completed')).blocks)).not.toContain('Unknown since');
  expect(await read()).toMatchObject({ handed_out_at: null, unknown_since: null, may_have_run: false });
});

test('a server is silent after three of its intervals, and not before', async () => {
  const { ctx, asker } = stage.plane;
  const server = await addServer(stage, false);
  const params = { service: 'nginx' };
  const { id } = await requestAction(ctx, asker('ana'), { server: server.name, playbook: 'restart-service', params });
  await createScriptedAgent(ctx, server.id).fetchCommand();
  const isUnknownAfter = async (silenceS: number): Promise<boolean> => {
    await ctx.database.pool.query(
      `update servers set heartbeat_interval_s = 600, last_seen_at = now() - make_interval(secs => $2) where id = $1`,
      [server.id, silenceS],
    );
    await showUnknown(ctx);
    return (await getAction(ctx, asker('ana'), id)).unknownSince !== null;
  };
  expect(await isUnknownAfter(1_700)).toBe(false);
  expect(await isUnknownAfter(1_900)).toBe(true);
  expect(await isUnknownAfter(1_700)).toBe(false);
});
