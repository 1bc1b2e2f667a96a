import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { createManifest } from '../../bot/manifest.ts';
import { startPostgres } from '../../sandbox/postgres.ts';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { Click } from '../checker/evidence.ts';
import { OUTBOX_CHANNEL } from '../../services/slack/outbox.ts';
import type { Call } from '../support/api-caller.ts';
import { poll } from '../support/poll.ts';
import { stepOf } from '../support/process-folder.ts';
import type { Places, Playbooks } from '../support/process-folder.ts';
import { startProcessStack } from '../support/process-stack.ts';
import type { Part, ProcessStack } from '../support/process-stack.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { CHANNEL, TOKENS } from './crash-stage.ts';

/** The whole of Medic in processes, and between them and what they need ways that can be cut, delayed and reset. */
export interface CellStage {
  stack: ProcessStack;
  slack: SlackWorkspace;
  toDatabase: TcpProxy;
  toTemporal: TcpProxy;
  /** From the agent of a server to the API. */
  toApi(server: string): TcpProxy;
  stopPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
  /** The database takes nothing more, or does again. */
  fillDisk(isFull: boolean): Promise<void>;
  ana: Call;
  /** Approves over the API, and is not known in Slack: whoever is may not while Slack cannot say who they are. */
  cid: Call;
  /** Until nothing is owed to Slack, without the minutes that its pace and the leases of what was cut off would take. */
  passMinutes(): Promise<unknown>;
  /** Lets what is held under this name end. */
  openGate(name: string): void;
  /** Ids of what was asked for and answered. */
  accepted: string[];
  /** What people were told of as taken. */
  clicks: Click[];
  stop(): Promise<void>;
}

export interface CellStageOptions {
  parts: readonly Part[];
  servers: readonly string[];
  /** Each has a playbook that is held at a gate of its own, and one that waits for a person. */
  names: readonly string[];
  temporal: { address: string; namespace: string };
}

const MEDIC_YAML = `version: 1
approval_timeout: 2h
start_within: 2h
principals:
  ana: { slack_user_id: U0ANA, roles: [operator] }
  bob: { slack_user_id: U0BOB, roles: [approver] }
  cid: { roles: [approver] }
  eve: { roles: [auditor] }
  root: { roles: [admin] }
rules:
  - when: { playbook: [waiting-*] }
    approvals: 1
  - approvals: 0
`;

type Closer = () => Promise<unknown>;

/** Closes what it began where it cannot be opened. */
export async function openCellStage(options: CellStageOptions): Promise<CellStage> {
  const closers: Closer[] = [];
  const stop = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be closed');
  };
  try {
    return await open(options, { closers, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(
  options: CellStageOptions,
  { closers, stop }: { closers: Closer[]; stop: () => Promise<void> },
): Promise<CellStage> {
  const until = <T extends { stop(): Promise<unknown> }>(opened: T): T => {
    closers.push(() => opened.stop());
    return opened;
  };
  const postgres = until(await openPostgres());
  const toDatabase = until(await startTcpProxy(postgres.address));
  const toTemporal = until(await startTcpProxy(options.temporal.address));
  let api = '';
  const ways = new Map<string, TcpProxy>();
  for (const server of options.servers) ways.set(server, until(await startTcpProxy(() => api)));
  const slack = until(await startSlackWorkspace({ port: 0, ...TOKENS, manifest: createManifest({ mode: 'socket' }) }));
  const stack = until(
    await startProcessStack({
      parts: options.parts,
      servers: Object.fromEntries(options.servers.map((server) => [server, firstApi(options.parts)])),
      agentUrls: Object.fromEntries([...ways].map(([server, { address }]) => [server, `http://${address}`])),
      postgresUrl: postgres.urlBy(toDatabase.address),
      medicYaml: MEDIC_YAML,
      playbooks: (marks) => describePlaybooks(marks, options.names),
      prepare: ({ url }) => {
        api = new URL(url).host;
        return {};
      },
      env: {
        TEMPORAL_ADDRESS: toTemporal.address,
        TEMPORAL_NAMESPACE: options.temporal.namespace,
        SLACK_BOT_TOKEN: TOKENS.botToken,
        SLACK_APP_TOKEN: TOKENS.appToken,
        SLACK_API_URL: slack.apiUrl,
        MEDIC_SLACK_CHANNEL: CHANNEL,
      },
    }),
  );
  const { pool } = stack.database;
  await layDisk(pool);
  await slack.waitFor((workspace) => workspace.connections() === 1, { timeoutMs: 60_000, what: 'the bot' });
  return {
    ...{ stack, slack, toDatabase, toTemporal, stop },
    toApi: (server) => {
      const way = ways.get(server);
      if (way === undefined) throw new Error(`there is no ${server} here`);
      return way;
    },
    stopPostgres: () => postgres.pause(),
    startPostgres: () => postgres.resume(),
    fillDisk: async (isFull) => void (await pool.query('update test_disk set is_full = $1', [isFull])),
    ana: await stack.as({ principal: 'ana', role: 'operator' }),
    cid: await stack.as({ principal: 'cid', role: 'approver' }),
    passMinutes: () => passMinutes(pool),
    openGate: (name) => {
      writeFileSync(gateOf(stack, name), '');
    },
    accepted: [],
    clicks: [],
  };
}

/** The one that answers for all: `server` holds an API, too. */
function firstApi(parts: readonly Part[]): Part {
  return parts.find((part) => part === 'api' || part === 'server') ?? 'api';
}

/** One of its own, that can be stopped and started again on its data; its port may be another then. */
async function openPostgres() {
  const dataDir = mkdtempSync(join(tmpdir(), 'medic-cells-postgres-'));
  const start = () => startPostgres({ dataDir, isEphemeral: true });
  let postgres = await start();
  return {
    address: () => `127.0.0.1:${String(postgres.port)}`,
    urlBy: (address: string): string => {
      const url = new URL(postgres.adminUrl);
      url.host = address;
      return url.href;
    },
    pause: () => postgres.stop({ keepsData: true }),
    resume: async (): Promise<void> => {
      postgres = await start();
    },
    stop: () => postgres.stop(),
  };
}

const gateOf = ({ gate }: Pick<Places, 'gate'>, name: string): string => `${gate}-${name}`;

/** `quick-repair` is of high risk, so that many of it share no card. */
function describePlaybooks(marks: Pick<Places, 'marker' | 'gate'>, names: readonly string[]): Playbooks {
  const quick = { title: 'A repair', risk: 'low', timeout: '1m', steps: [stepOf(marks, { takesMs: 0 })] };
  const held = (name: string): object => {
    const step = stepOf({ ...marks, gate: gateOf(marks, name) }, { takesMs: 'gate', prints: 9_000 });
    return { title: 'A repair that is held', risk: 'low', timeout: '1h', steps: [step] };
  };
  return {
    'quick-repair': { ...quick, risk: 'high' },
    ...Object.fromEntries(names.map((name) => [`waiting-${name}`, quick])),
    ...Object.fromEntries(names.map((name) => [`held-${name}`, held(name)])),
  };
}

/**
 * What PostgreSQL says when its disk is full, of every row that would be written. Its log then has no room either, and it
 * ends: that is the database that is restarted.
 */
async function layDisk(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
  );
  await pool.query(`
    create table test_disk (is_full boolean not null);
    insert into test_disk values (false);
    create function test_disk_has_room() returns trigger language plpgsql as $$
    begin
      if (select is_full from test_disk) then
        raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
      end if;
      return null;
    end $$`);
  for (const { name } of rows) {
    await pool.query(
      `create trigger test_disk before insert or update on ${name} for each statement execute function test_disk_has_room()`,
    );
  }
}

function passMinutes(pool: Pool): Promise<unknown> {
  const pass = async (): Promise<boolean> => {
    const { rowCount } = await pool.query('select 1 from slack_outbox where sent_at is null limit 1');
    // whoever holds a row now is passed by, as two that lock many rows could wait for each other
    await pool.query(
      `update slack_outbox set leased_until = null where id in (
         select id from slack_outbox where sent_at is null and leased_until < now() + interval '110 seconds'
         for update skip locked)`,
    );
    await pool.query(
      `update slack_lanes set sent_ms = '[]'
       where name in (select name from slack_lanes order by name for update skip locked)`,
    );
    await pool.query(`select pg_notify('${OUTBOX_CHANNEL}', '')`);
    return rowCount === 0;
  };
  return poll('all that is owed to be sent', pass, { timeoutMs: 120_000 });
}
