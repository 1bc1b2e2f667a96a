import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { listAuditAfter } from '../../db/repositories/audit.repository.ts';
import { CHAIN_START, hashEvent, toCanonicalJson, verifyChain } from '../../protocol/audit-chain.ts';
import { verifyCheckpoint } from '../../protocol/checkpoint.ts';
import type { Checkpoint } from '../../protocol/checkpoint.ts';
import { startCheckpointer } from '../../services/audit/checkpointer.ts';
import { signNextCheckpoint } from '../../services/audit/sign-checkpoint.ts';
import { tellGrowth } from '../../services/audit/tell-growth.ts';
import type { BotStage } from './bot-stage.ts';
import { CHANNEL, openBotStage, waitUntilSettled } from './bot-stage.ts';
import { arrange } from '../support/arrange.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

type Plane = Pick<TestControlPlane, 'ctx'>;

/** Appends as many events, in one transaction. */
const happen = (plane: Plane, count: number) =>
  arrange(plane.ctx.database, async (tx) => {
    for (let i = 0; i < count; i++) {
      tx.audit({ actor: 'ana', via: 'cli', event: 'server.paused', subject: { type: 'server', id: 's' } });
    }
    return Promise.resolve();
  });

async function readKept(plane: Plane): Promise<(Checkpoint | undefined)[]> {
  const rows = await plane.ctx.database.kysely.selectFrom('checkpoints').select('jws').orderBy('count').execute();
  return Promise.all(rows.map(({ jws }) => verifyCheckpoint({ jws, keys: [plane.ctx.signer.publicJwk] })));
}

/** What only somebody with the rights of the database's owner can do. */
async function withoutGuards(plane: Plane, work: () => Promise<unknown>): Promise<void> {
  const tables = ['audit_events', 'audit_head', 'checkpoints'];
  for (const table of tables) await plane.ctx.database.pool.query(`alter table ${table} disable trigger user`);
  await work();
  for (const table of tables) await plane.ctx.database.pool.query(`alter table ${table} enable trigger user`);
}

const letTimePass = (plane: Plane, interval: string): Promise<void> =>
  withoutGuards(plane, () =>
    plane.ctx.database.pool.query(`update checkpoints set signed_at = signed_at - interval '${interval}'`),
  );

describe('checkpoints', () => {
  let plane: TestControlPlane;

  beforeEach(async () => {
    plane = await createTestControlPlane();
  });
  afterEach(() => plane.stop());

  test('are signed at once, then every 100 events, or a minute after the last where anything happened', async () => {
    expect(await signNextCheckpoint(plane.ctx)).toBe('nothing_due');
    await happen(plane, 1);
    expect(await signNextCheckpoint(plane.ctx)).toBe('signed');
    await happen(plane, 99);
    expect(await signNextCheckpoint(plane.ctx)).toBe('nothing_due');
    await happen(plane, 1);
    expect(await signNextCheckpoint(plane.ctx)).toBe('signed');
    await letTimePass(plane, '61 seconds');
    expect(await signNextCheckpoint(plane.ctx)).toBe('nothing_due');
    await happen(plane, 1);
    expect(await signNextCheckpoint(plane.ctx)).toBe('signed');
    const kept = await readKept(plane);
    expect(kept.map((checkpoint) => checkpoint?.count)).toEqual([1, 101, 102]);
    const lines = await listAuditAfter(plane.ctx.database, { after: 0, limit: 1000 });
    const checkpoints = kept.filter((checkpoint) => checkpoint !== undefined);
    const reading = await verifyChain(
      lines.map(({ body }) => body),
      { checkpoints },
    );
    expect(reading).toMatchObject({ isIntact: true, count: 102 });
  });

  test('of several processes at once never contradict each other', async () => {
    const processes = [1, 2, 3, 4].map(() => startCheckpointer(plane.ctx, { periodMs: 1 }));
    for (let i = 0; i < 20; i++) await happen(plane, 60);
    const isCaughtUp = async (): Promise<boolean> => ((await readKept(plane)).at(-1)?.count ?? 0) > 1_100;
    await poll('the checkpoints to follow', isCaughtUp, { timeoutMs: 10_000 });
    for (const checkpointer of processes) await checkpointer.stop();
    const checkpoints = (await readKept(plane)).filter((checkpoint) => checkpoint !== undefined);
    const lines = await listAuditAfter(plane.ctx.database, { after: 0, limit: 2000 });
    const reading = await verifyChain(
      lines.map(({ body }) => body),
      { checkpoints },
    );
    expect(reading.isIntact).toBe(true);
    expect(new Set(checkpoints.map(({ count }) => count)).size).toBe(checkpoints.length);
  });

  test('of a log that was rewritten, cut off or emptied since the last one are never signed', async () => {
    await happen(plane, 3);
    await signNextCheckpoint(plane.ctx);
    await happen(plane, 100);
    const { pool } = plane.ctx.database;
    const { rows } = await pool.query<{ body: string }>('select body from audit_events where seq = 50');
    const forged = { ...(JSON.parse(rows[0]?.body ?? '{}') as Record<string, unknown>), actor: 'eve' };
    const body = toCanonicalJson({ ...forged, hash: hashEvent(forged) });
    await withoutGuards(plane, () => pool.query('update audit_events set body = $1 where seq = 50', [body]));
    expect(await signNextCheckpoint(plane.ctx)).toBe('broken');
    await withoutGuards(plane, () => pool.query('delete from audit_events where seq > 3'));
    expect(await signNextCheckpoint(plane.ctx)).toBe('broken');
    await withoutGuards(plane, async () => {
      await pool.query('delete from audit_events');
      await pool.query('update audit_head set seq = 0, hash = $1', [CHAIN_START]);
    });
    expect(await signNextCheckpoint(plane.ctx)).toBe('broken');
    expect(await readKept(plane)).toHaveLength(1);
  });

  test('are kept by the database: only what fits the log, once, and for good', async () => {
    await happen(plane, 2);
    await signNextCheckpoint(plane.ctx);
    const { pool } = plane.ctx.database;
    await happen(plane, 1);
    const insert = 'insert into checkpoints (count, head, jws) values ($1, $2, $3)';
    await expect(pool.query(insert, [3, CHAIN_START, 'x'])).rejects.toMatchObject({ constraint: 'checkpoint_fits' });
    await expect(pool.query(insert, [4, CHAIN_START, 'x'])).rejects.toMatchObject({ constraint: 'checkpoint_fits' });
    for (const change of ["update checkpoints set jws = ''", 'delete from checkpoints', 'truncate checkpoints']) {
      await expect(pool.query(change)).rejects.toMatchObject({ constraint: 'audit_append_only' });
    }
  });

  test('stand in every answer to an agent, the newest one, and never an older one after it', async () => {
    const server = await insertTestServer(plane.ctx);
    const agent = createScriptedAgent(plane.ctx, server.id);
    expect(await agent.beatOnce()).not.toHaveProperty('checkpoint');
    const counts: number[] = [];
    for (let i = 0; i < 3; i++) {
      await happen(plane, 100);
      await signNextCheckpoint(plane.ctx);
      const { checkpoint: jws = '' } = await agent.beatOnce();
      counts.push((await verifyCheckpoint({ jws, keys: [plane.ctx.signer.publicJwk] }))?.count ?? 0);
    }
    expect(counts).toEqual([100, 200, 300]);
  });
});

describe('the line of the day', () => {
  let stage: BotStage;

  beforeAll(async () => {
    stage = await openBotStage({ hasWorker: false });
    await stage.startBot();
  });
  afterAll(() => stage.stop());

  const lines = (): string[] =>
    stage.slack.messages(CHANNEL).flatMap(({ text = '' }) => (/^Audit/.test(text) ? [text] : []));
  const nextDay = () => sql`update audit_reports set day = day - 1`.execute(stage.plane.ctx.database.kysely);

  test('tells the channel how long the log had grown, once a day over all processes, and only news', async () => {
    const { plane } = stage;
    const tellAtOnce = () => Promise.all([1, 2, 3, 4].map(() => tellGrowth(plane.ctx)));
    await happen(plane, 7);
    await signNextCheckpoint(plane.ctx);
    await tellAtOnce();
    await waitUntilSettled(stage);
    expect(lines()).toEqual([]); // the first day is not over

    await letTimePass(plane, '1 day');
    await happen(plane, 3);
    stage.slack.faults.dropAnswer('chat.postMessage', 1);
    await tellAtOnce();
    await tellAtOnce();
    await waitUntilSettled(stage);
    const [{ head } = { head: '' }] = await readKept(plane).then((kept) => kept.filter((one) => one !== undefined));
    expect(lines()).toEqual([`Audit: 7 events, head ${head.slice(7, 19)}…`]);

    await nextDay();
    await tellAtOnce();
    await waitUntilSettled(stage);
    expect(lines()).toHaveLength(1); // nothing was signed since

    await letTimePass(plane, '2 minutes');
    await signNextCheckpoint(plane.ctx);
    await letTimePass(plane, '1 day');
    await tellAtOnce();
    await waitUntilSettled(stage);
    expect(lines()).toEqual([expect.any(String), expect.stringMatching(/^Audit: 10 events, head [0-9a-f]{12}…$/)]);
  });
});
