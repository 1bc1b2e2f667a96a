import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { enroll } from '../../agent/enroll.ts';
import { readOutboxBacklog } from '../../db/repositories/outbox.repository.ts';
import type { HaltReach } from '../../domain/halt.ts';
import { liftHalt } from '../../services/halts/lift-halt.ts';
import { listStandingHalts } from '../../services/halts/read-halts.ts';
import { createEnrollmentToken } from '../../services/servers/create-enrollment-token.ts';
import type { Checkpoint, Click, Evidence, Shown } from '../checker/evidence.ts';
import { readJournal } from '../checker/journal.ts';
import type { AgentHome } from '../fixtures/agent/agent-process.ts';
import { createAgentHome } from '../fixtures/agent/agent-process.ts';
import { actionIdOf, cardsOf, statusOf } from '../integration/bot-stage.ts';
import { gatherEvidence, readJournalLines } from '../support/gather-evidence.ts';
import type { MedicProcess } from '../support/medic-process.ts';
import { watch } from '../support/medic-process.ts';
import { poll } from '../support/poll.ts';
import { cleanEnvironment } from '../support/start-process.ts';
import type { AgentLink } from './agent-link.ts';
import { startAgentLink } from './agent-link.ts';
import type { World } from './world.ts';

const SETTLE_MS = 20_000; // longer than the pump's grace and the waits of an agent that was cut off

export interface SceneServer {
  id: string;
  name: string;
  /** Of no other server. */
  tag: string;
  link: AgentLink;
  /** SIGKILL, and another one at once. */
  restartAgent(): Promise<void>;
  /** Where its agent keeps its journal. */
  folder: string;
  stop(): Promise<void>;
}

export interface SceneAction {
  id: string;
  server: string;
  playbook: string;
  requester: string;
}

export interface StandingHalt extends HaltReach {
  id: number;
}

/** One run: two servers of its own, what people were told in it, and in the end what it left behind. */
export interface Scene {
  world: World;
  servers: readonly SceneServer[];
  actions: SceneAction[];
  /** Of the dead letters among them, those that were replayed or dismissed. */
  settled: Set<string>;
  /** Declared without an end, and not lifted. */
  halts: StandingHalt[];
  clicks: Click[];
  /**
   * Everything is there again, and nothing is under way any more but the actions it answers with: handed out, not heard
   * of and cancelled, they end only when their signature has run out, and others of their server wait behind them.
   * Rejects where that never comes.
   */
  settle(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function openScene(world: World): Promise<Scene> {
  const servers = await Promise.all([addServer(world), addServer(world)]);
  const scene: Scene = {
    ...{ world, servers, actions: [], settled: new Set(), halts: [], clicks: [] },
    settle: async () => {
      for (const { link } of servers) link.mend();
      await world.mendTemporal();
      await liftAll(world);
      const what = 'every action to end, and every end to be acknowledged and shown';
      return poll(what, () => findUnderWay(scene), { timeoutMs: SETTLE_MS }).catch(async (cause: unknown) => {
        throw new Error(`it did not settle: ${JSON.stringify(await listOpen(scene))}`, { cause });
      });
    },
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
  return scene;
}

async function liftAll({ ctx, plane }: World): Promise<void> {
  const root = plane.asker('root');
  for (const { id } of await listStandingHalts(ctx, root)) await liftHalt(ctx, root, { id: String(id) });
}

async function addServer(world: World): Promise<SceneServer> {
  const home = createAgentHome();
  for (const { file, text } of world.repairs.files) home.writePlaybook(file.replace('.yaml', ''), text);
  home.writeAllow(world.repairs.allow);
  const link = await startAgentLink(world.url);
  const name = `web-${randomUUID().slice(0, 8)}`;
  const tag = `only-${name}`;
  const asked = { serverName: name, tags: [tag] };
  const { token } = await createEnrollmentToken(world.ctx, world.plane.asker('root'), asked);
  const { agentDir, playbookDir } = home;
  const config = { controlPlaneUrl: new URL(link.url), agentDir, playbookDir, logLevel: 'silent' };
  const { server_id: id } = await enroll(config, token);
  return { id, name, tag, link, ...runServer({ world, home, link }) };
}

function runServer(input: {
  world: World;
  home: AgentHome;
  link: AgentLink;
}): Omit<SceneServer, 'id' | 'name' | 'tag' | 'link'> {
  const { home, link } = input;
  const env = {
    ...cleanEnvironment(),
    MEDIC_CONTROL_PLANE_URL: link.url,
    MEDIC_AGENT_DIR: home.agentDir,
    MEDIC_AGENT_PLAYBOOKS: home.playbookDir,
  };
  const start = (): MedicProcess =>
    watch(spawn(process.execPath, [input.world.agentFile, 'run'], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  let agent = start();
  return {
    folder: home.agentDir,
    restartAgent: async () => {
      await agent.kill('SIGKILL');
      agent = start();
    },
    stop: async () => {
      await agent.kill('SIGKILL');
      await home.remove();
      await link.close();
    },
  };
}

/** Null: not settled yet. */
async function findUnderWay(scene: Scene): Promise<string[] | null> {
  const { database } = scene.world.ctx;
  const open = await listOpen(scene);
  const unheard = open.filter(({ state, is_cancelled }) => state === 'handed_out' && is_cancelled);
  const held = new Set(unheard.map(({ server_id: id }) => id));
  const isBehind = ({ server_id: id, status, state }: OpenAction): boolean =>
    held.has(id) && status !== 'pending' && state === null;
  if (!open.every((action) => unheard.includes(action) || isBehind(action)) || (await countRecorded(scene)) > 0)
    return null;
  if ((await readOutboxBacklog(database)).count > 0) return null;
  const isTold = scene.servers.every((server) => {
    const { lines } = readJournal({ name: server.name, lines: readJournalLines(server.folder) });
    const countOf = (wanted: string): number => lines.filter(({ kind }) => kind === wanted).length;
    return countOf('received') === countOf('acknowledged');
  });
  return isTold ? open.map(({ id }) => id) : null;
}

/** Decisions that nothing has become of yet, also of what has ended meanwhile. */
async function countRecorded({ world }: Scene): Promise<number> {
  const { rows } = await world.ctx.database.pool.query(`select 1 from decisions where status = 'recorded'`);
  return rows.length;
}

interface OpenAction {
  id: string;
  server_id: string;
  status: string;
  /** Of the command of its attempt; null: it waits for its turn. */
  state: string | null;
  is_cancelled: boolean;
}

async function listOpen({ world, actions }: Scene): Promise<OpenAction[]> {
  const { rows } = await world.ctx.database.pool.query<OpenAction>(
    `select actions.id, actions.server_id, status, commands.state, coalesce(cancel_requested, false) as is_cancelled
     from actions left join commands on action_id = actions.id and commands.attempt = actions.attempt
     where actions.id = any($1) and status in ('pending', 'approved', 'executing')`,
    [actions.map(({ id }) => id)],
  );
  return rows;
}

/** Of all runs so far: the log is one, and grows. */
export interface Findings {
  journals: Evidence['journals'][number][];
  clicks: Click[];
  witnesses: Checkpoint[];
  underWay: string[];
}

/** What the runs so far have left behind, this one included; what is signed of it is held against the next ones too. */
export async function gatherFindings(input: {
  scene: Scene;
  findings: Findings;
  underWay: readonly string[];
}): Promise<Evidence> {
  const { scene, findings, underWay } = input;
  const { world, servers } = scene;
  const { database, signer } = world.ctx;
  const evidence = await gatherEvidence({ pool: database.pool, agents: servers, keys: [signer.publicJwk] });
  findings.journals.push(...evidence.journals);
  findings.clicks.push(...scene.clicks);
  findings.underWay.push(...underWay);
  findings.witnesses.push(...evidence.witnesses);
  return {
    ...evidence,
    ...structuredClone(findings),
    slack: cardsOf(world.slack).map((card): Shown => ({ action_id: actionIdOf(card), status: statusOf(card) })),
    processes: world.readMarks(),
    beats: servers.flatMap(({ name, link }) => link.beats().map((beat) => ({ ...beat, agent: name }))),
  };
}
