import type { Part } from '../support/process-stack.ts';
import { poll } from '../support/poll.ts';
import type { Trouble } from '../support/tcp-proxy.ts';
import type { CellStage } from './cell-stage.ts';
import type { Heard } from './run-cell.ts';

/** One part that goes away for a while, and comes back. */
export interface FaultCell {
  name: string;
  /** What its playbooks are named by. */
  slug: string;
  /** Where it is talked to meanwhile: servers that no other cell has, but those that every cell needs to itself. */
  servers: readonly string[];
  /** True where what goes away is needed by every server: then no other cell is tried beside it. */
  isForAll: boolean;
  /** How people decide: by a card in Slack, or over the API where Slack's pace would be waited for. */
  decides: 'in Slack' | 'over the API';
  /** The processes it needs where it is tried alone. */
  parts: readonly Part[];
  /** What a request can hear meanwhile; anything else shows that nothing was away. */
  hears: readonly Heard[];
  /** A shorter outage would show nothing. */
  leastMs?: number;
  /** Before anything is asked for. */
  prepare?(stage: CellStage): Promise<void>;
  begin(stage: CellStage): Promise<void>;
  end(stage: CellStage): Promise<void>;
}

const TEN_MINUTES_MS = 600_000;
const DAY_MS = 86_400_000;
const DELAY_MS = 2_000; // more than an agent waits before it calls again
const IN_BODY_BYTES = 100; // less than any heartbeat and any answer to one
const WORKER_LEASE_MS = 10_000; // a workflow task, and a transaction that sleeps; a sticky queue is given up on before

const ALONE: readonly Part[] = ['server'];
const REFUSING: readonly Heard[] = ['refused', 'nothing'];

/** What every server needs. */
function ofAll(cell: Pick<FaultCell, 'name' | 'slug' | 'begin' | 'end'> & Partial<FaultCell>): FaultCell {
  return { servers: ['web-1'], isForAll: true, decides: 'in Slack', parts: ALONE, hears: ['taken'], ...cell };
}

/** What only the agents of some servers have to do with. */
function ofAgents(
  cell: Pick<FaultCell, 'name' | 'slug' | 'servers' | 'begin' | 'end'> & Partial<FaultCell>,
): FaultCell {
  return { isForAll: false, decides: 'over the API', parts: ALONE, hears: ['taken'], ...cell };
}

function ofWay(cell: Pick<FaultCell, 'name' | 'slug'>, server: string, trouble: Trouble): FaultCell {
  return ofAgents({
    ...cell,
    servers: [server],
    begin: (stage) => {
      stage.toApi(server).trouble(trouble);
      return Promise.resolve();
    },
    end: async (stage) => {
      const way = stage.toApi(server);
      const isShown = (): boolean => 'delayMs' in trouble || way.resets() > 0;
      await poll('something to be reset', isShown).finally(() => {
        way.trouble(undefined);
      });
    },
  });
}

/** What is tried to be away; kills are tried in kill-rounds.ts. */
export const FAULT_CELLS: readonly FaultCell[] = [
  ofAll({
    name: 'PostgreSQL restarted',
    slug: 'postgres-restarted',
    hears: REFUSING,
    begin: (stage) => stage.stopPostgres(),
    end: (stage) => stage.startPostgres(),
  }),
  ofAll({
    name: 'connections to PostgreSQL cut',
    slug: 'connections-cut',
    hears: REFUSING,
    begin: (stage) => stage.toDatabase.cut(),
    end: (stage) => stage.toDatabase.mend(),
  }),
  ofAll({
    name: 'the disk of PostgreSQL full',
    slug: 'disk-full',
    hears: REFUSING,
    begin: (stage) => stage.fillDisk(true),
    end: (stage) => stage.fillDisk(false),
  }),
  ofAll({
    name: 'Temporal gone under clicks',
    slug: 'temporal-gone',
    begin: async (stage) => {
      await stage.toTemporal.cut();
      const isNoticed = async (): Promise<boolean> => !(await fetch(`${stage.stack.url}/readyz`)).ok;
      await poll('Medic to notice', isNoticed);
    },
    end: (stage) => stage.toTemporal.mend(),
  }),
  ofAgents({
    name: 'Slack gone',
    slug: 'slack-gone',
    servers: ['web-2'],
    decides: 'in Slack',
    begin: (stage) => {
      stage.slack.faults.outage(true);
      return Promise.resolve();
    },
    end: (stage) => {
      stage.slack.faults.outage(false);
      return Promise.resolve();
    },
  }),
  ofAgents({
    name: 'the network of an agent cut',
    slug: 'network-cut',
    servers: ['web-3'],
    begin: (stage) => stage.toApi('web-3').cut(),
    end: (stage) => stage.toApi('web-3').mend(),
  }),
  ofWay({ name: 'the network of an agent delayed', slug: 'network-delayed' }, 'web-4', {
    ...{ way: 'up', delayMs: DELAY_MS },
  }),
  ofWay({ name: 'reset in the middle of a body, towards the control plane', slug: 'reset-up' }, 'web-5', {
    ...{ way: 'up', resetInBodyAt: IN_BODY_BYTES },
  }),
  ofWay({ name: 'reset in the middle of a body, towards the agent', slug: 'reset-down' }, 'web-6', {
    ...{ way: 'down', resetInBodyAt: IN_BODY_BYTES },
  }),
  ofAll({
    name: 'a worker frozen longer than its leases',
    slug: 'worker-frozen',
    parts: ['api', 'worker', 'worker 2', 'bot'],
    leastMs: WORKER_LEASE_MS + 1_000,
    begin: (stage) => {
      stage.stack.freeze('worker');
      return Promise.resolve();
    },
    end: (stage) => {
      stage.stack.wake('worker');
      return Promise.resolve();
    },
  }),
  ofAgents({
    name: 'clocks off by ten minutes and by a day',
    slug: 'clocks-off',
    servers: ['web-7', 'web-8'],
    prepare: async ({ stack }) => {
      for (const [server, offMs] of [
        ['web-7', TEN_MINUTES_MS],
        ['web-8', -DAY_MS],
      ] as const) {
        await stack.kill(`agent ${server}`);
        stack.stepClock(server, offMs);
        await stack.restart(`agent ${server}`);
      }
    },
    begin: () => Promise.resolve(), // they are
    end: ({ stack }) => {
      for (const server of ['web-7', 'web-8']) stack.stepClock(server, 0);
      return Promise.resolve();
    },
  }),
  ofAgents({
    name: 'a clock that steps in the middle of a command',
    slug: 'clock-stepping',
    servers: ['web-9'],
    begin: ({ stack }) => {
      stack.stepClock('web-9', DAY_MS);
      return Promise.resolve();
    },
    end: ({ stack }) => {
      stack.stepClock('web-9', 0);
      return Promise.resolve();
    },
  }),
];
