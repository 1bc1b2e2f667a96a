import { randomUUID } from 'node:crypto';
import type { DecisionKind } from '../../domain/policy.ts';
import { cancelAction, decideAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { pauseServer } from '../../services/servers/pause-server.ts';
import { unpauseServer } from '../../services/servers/unpause-server.ts';
import { poll } from '../support/poll.ts';
import type { RepairKind, RepairName } from './repairs.ts';
import type { Step } from './step.ts';
import { actionAt, clickNow, findHalt, hasActions, serverAt, step, tryTo } from './step.ts';

const REQUESTER = 'ana';

const isDone = async (click: () => Promise<unknown>): Promise<boolean> => (await tryTo(click)) !== null;

export function request(input: { index: number; name: RepairName; kind: RepairKind }): Step {
  const { index, name, kind } = input;
  return step(`ana asks for ${name} ${kind} on server ${index}`, async (model, scene) => {
    const server = serverAt(scene, index);
    const asked = { server: server.name, playbook: name, params: { kind } };
    const halt = findHalt(scene, asked);
    const answer = await tryTo(() => requestAction(scene.world.ctx, scene.world.plane.asker(REQUESTER), asked));
    if (answer === null) return;
    const { id } = answer;
    if (halt !== null) throw new Error(`${id} was asked for under halt ${halt.id}`);
    scene.actions.push({ id, server: server.name, playbook: name, requester: REQUESTER });
    scene.clicks.push(clickNow({ action_id: id, kind: 'request', who: REQUESTER }));
    model.actions += 1;
  });
}

/** How each server's part of a run begins: with an agent that is there, and something that really ran. */
export function repairAtOnce(index: number): Step {
  const asked = request({ index, name: 'auto-repair', kind: 'good' });
  return step(`${asked.toString()}, and it starts`, async (model, scene) => {
    const before = scene.world.readMarks().length;
    await asked.run(model, scene);
    if (scene.actions.length <= index) throw new Error('the first repair of a server was refused');
    await poll('the first repair of a server to start', () => scene.world.readMarks().length > before);
  });
}

export function decide(input: { kind: DecisionKind; at: number; who: string; isTwice: boolean }): Step {
  const { kind, at, who, isTwice } = input;
  const name = `${who} clicks ${kind} on action ${at}${isTwice ? ', twice' : ''}`;
  const run: Step['run'] = async (_model, scene) => {
    const action = actionAt(scene, at);
    const halt = findHalt(scene, action);
    const { ctx, plane } = scene.world;
    const decisionId = randomUUID();
    const click = { actionId: action.id, decisionId, reason: 'the model', confirmServer: action.server };
    const send = (): Promise<unknown> =>
      kind === 'cancel'
        ? cancelAction(ctx, plane.asker(who), click)
        : decideAction(ctx, plane.asker(who), { ...click, kind });
    const [wasDone, wasDoneAgain] = await Promise.all([isDone(send), isTwice && isDone(send)]);
    if (!wasDone && !wasDoneAgain) return;
    const isOwn = who === action.requester;
    if (kind !== 'cancel' && isOwn) throw new Error(`${who} decided what they asked for themselves`);
    if (kind === 'approve' && halt !== null) throw new Error(`${action.id} was approved under halt ${halt.id}`);
    scene.clicks.push(clickNow({ action_id: action.id, kind, who, decision_id: decisionId }));
  };
  return step(name, run, hasActions);
}

export function pause(index: number): Step {
  return step(`bob pauses server ${index}`, async (model, scene) => {
    const server = serverAt(scene, index).id;
    await pauseServer(scene.world.ctx, scene.world.plane.asker('bob'), { server, reason: 'the model' });
    scene.clicks.push(clickNow({ kind: 'pause', who: 'bob' }));
    model.paused.add(index);
  });
}

export function unpause(index: number): Step {
  const run: Step['run'] = async (model, scene) => {
    await unpauseServer(scene.world.ctx, scene.world.plane.asker('bob'), { server: serverAt(scene, index).id });
    scene.clicks.push(clickNow({ kind: 'unpause', who: 'bob' }));
    model.paused.delete(index);
  };
  return step(`bob unpauses server ${index}`, run, ({ paused }) => paused.has(index));
}
