import fc from 'fast-check';
import type { AsyncCommand } from 'fast-check';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { MedicError } from '../../domain/errors.ts';
import type { DecisionKind } from '../../domain/policy.ts';
import { cancelAction, decideAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { pauseServer } from '../../services/servers/pause-server.ts';
import { unpauseServer } from '../../services/servers/unpause-server.ts';
import type { Click } from '../checker/evidence.ts';
import type { RepairKind, RepairName } from './repairs.ts';
import { KINDS, PLAYBOOKS } from './repairs.ts';
import type { Scene, SceneServer } from './scene.ts';

/** What must be known to say what may be tried: how many actions there are, and which servers are paused. */
export interface Model {
  actions: number;
  paused: Set<number>;
}

export type Step = AsyncCommand<Model, Scene>;

const SERVERS = [0, 1] as const;
const REQUESTER = 'ana';

/** People, faults and time, in the proportions of a bad day. */
export function anyStep(): fc.Arbitrary<Step> {
  const server = fc.constantFrom(...SERVERS);
  const which = fc.nat({ max: 99 });
  const person = fc.constantFrom('ana', 'bob', 'cid', 'root');
  const names = fc.constantFrom(...(Object.keys(PLAYBOOKS) as RepairName[]));
  const kinds = fc.constantFrom(...KINDS);
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(server, names, kinds).map(([index, name, kind]) => request({ index, name, kind })),
    },
    {
      weight: 9,
      arbitrary: fc
        .tuple(which, person, fc.boolean())
        .map(([at, who, isTwice]) => decide({ kind: 'approve', at, who, isTwice })),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(which, person).map(([at, who]) => decide({ kind: 'reject', at, who, isTwice: false })),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(which, person).map(([at, who]) => decide({ kind: 'cancel', at, who, isTwice: false })),
    },
    { weight: 2, arbitrary: server.map(pause) },
    { weight: 3, arbitrary: server.map(unpause) },
    { weight: 2, arbitrary: server.map(killAgent) },
    {
      weight: 2,
      arbitrary: fc.tuple(server, fc.integer({ min: 50, max: 600 })).map(([index, ms]) => cutAgent({ index, ms })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(server, fc.integer({ min: 1, max: 3 }))
        .map(([index, count]) => loseAnswers({ index, count })),
    },
    { weight: 3, arbitrary: fc.tuple(server, which).map(([index, at]) => replayHeartbeat({ index, at })) },
    { weight: 1, arbitrary: fc.constant(restartWorker()) },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 800 }).map(cutTemporal) },
    { weight: 3, arbitrary: fc.integer({ min: 20, max: 250 }).map(pass) },
  );
}

function step(
  name: string,
  run: (model: Model, scene: Scene) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Step {
  return { check, run, toString: () => name };
}

const hasActions = ({ actions }: Readonly<Model>): boolean => actions > 0;

function serverAt(scene: Scene, index: number): SceneServer {
  const server = scene.servers[index % scene.servers.length];
  if (server === undefined) throw new Error('a scene has servers');
  return server;
}

/** What it was answered; null where it was refused: that is no fault, whatever else goes wrong is. */
async function tryTo<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MedicError) return null;
    throw error;
  }
}

const isDone = async (click: () => Promise<unknown>): Promise<boolean> => (await tryTo(click)) !== null;

const clickNow = (click: Omit<Click, 'at'>): Click => ({ ...click, at: new Date().toISOString() });

function request(input: { index: number; name: RepairName; kind: RepairKind }): Step {
  const { index, name, kind } = input;
  return step(`ana asks for ${name} ${kind} on server ${index}`, async (model, scene) => {
    const server = serverAt(scene, index);
    const asked = { server: server.name, playbook: name, params: { kind } };
    const answer = await tryTo(() => requestAction(scene.world.ctx, scene.world.plane.asker(REQUESTER), asked));
    if (answer === null) return;
    const { id } = answer;
    scene.actions.push({ id, server: server.name });
    scene.clicks.push(clickNow({ action_id: id, kind: 'request', who: REQUESTER }));
    model.actions += 1;
  });
}

function decide(input: { kind: DecisionKind; at: number; who: string; isTwice: boolean }): Step {
  const { kind, at, who, isTwice } = input;
  const name = `${who} clicks ${kind} on action ${at}${isTwice ? ', twice' : ''}`;
  const run = async (model: Model, scene: Scene): Promise<void> => {
    const action = scene.actions[at % model.actions];
    if (action === undefined) throw new Error('a model has as many actions as its scene');
    const { ctx, plane } = scene.world;
    const decisionId = randomUUID();
    const click = { actionId: action.id, decisionId, reason: 'the model', confirmServer: action.server };
    const send = (): Promise<unknown> =>
      kind === 'cancel'
        ? cancelAction(ctx, plane.asker(who), click)
        : decideAction(ctx, plane.asker(who), { ...click, kind });
    const [wasDone, wasDoneAgain] = await Promise.all([isDone(send), isTwice && isDone(send)]);
    if (!wasDone && !wasDoneAgain) return;
    if (kind !== 'cancel' && who === REQUESTER) throw new Error(`${who} decided what they asked for themselves`);
    scene.clicks.push(clickNow({ action_id: action.id, kind, who, decision_id: decisionId }));
  };
  return step(name, run, hasActions);
}

function pause(index: number): Step {
  return step(`bob pauses server ${index}`, async (model, scene) => {
    const server = serverAt(scene, index).id;
    await pauseServer(scene.world.ctx, scene.world.plane.asker('bob'), { server, reason: 'the model' });
    scene.clicks.push(clickNow({ kind: 'pause', who: 'bob' }));
    model.paused.add(index);
  });
}

function unpause(index: number): Step {
  const run = async (model: Model, scene: Scene): Promise<void> => {
    await unpauseServer(scene.world.ctx, scene.world.plane.asker('bob'), { server: serverAt(scene, index).id });
    scene.clicks.push(clickNow({ kind: 'unpause', who: 'bob' }));
    model.paused.delete(index);
  };
  return step(`bob unpauses server ${index}`, run, ({ paused }) => paused.has(index));
}

function killAgent(index: number): Step {
  return step(`the agent of server ${index} is killed`, (_model, scene) => serverAt(scene, index).restartAgent());
}

function cutAgent({ index, ms }: { index: number; ms: number }): Step {
  return step(`the network of server ${index} is cut for ${ms} ms`, (_model, scene) => {
    serverAt(scene, index).link.cut(ms);
    return Promise.resolve();
  });
}

function loseAnswers({ index, count }: { index: number; count: number }): Step {
  return step(`${count} answers to server ${index} are lost`, (_model, scene) => {
    serverAt(scene, index).link.loseAnswers(count);
    return Promise.resolve();
  });
}

function replayHeartbeat({ index, at }: { index: number; at: number }): Step {
  return step(`heartbeat ${at} of server ${index} comes again`, async (_model, scene) => {
    const status = await serverAt(scene, index).link.replay(at);
    if (status !== null && status !== 409) throw new Error(`a heartbeat that was played again is answered ${status}`);
  });
}

function restartWorker(): Step {
  return step('the worker is restarted', (_model, scene) => scene.world.restartWorker());
}

function cutTemporal(ms: number): Step {
  return step(`Temporal is away for ${ms} ms`, (_model, scene) => scene.world.cutTemporal(ms));
}

function pass(ms: number): Step {
  return step(`${ms} ms pass`, () => sleep(ms));
}
