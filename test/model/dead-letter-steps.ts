import { dismissDeadLetter } from '../../services/dead-letters/dismiss.ts';
import { replayAction } from '../../services/dead-letters/replay.ts';
import type { Scene } from './scene.ts';
import type { Step } from './step.ts';
import { actionAt, clickNow, findHalt, hasActions, step, tryTo } from './step.ts';

/** Twice at once, only one may have it. */
export function replay({ at, who, isTwice }: { at: number; who: string; isTwice: boolean }): Step {
  const run: Step['run'] = async (model, scene) => {
    const old = actionAt(scene, at);
    const halt = findHalt(scene, old);
    const { ctx, plane } = scene.world;
    const ask = () => tryTo(() => replayAction(ctx, plane.asker(who), { actionId: old.id }));
    const answers = await Promise.all(isTwice ? [ask(), ask()] : [ask()]);
    for (const answer of answers) {
      if (answer === null) continue;
      if (halt !== null) throw new Error(`${old.id} was replayed under halt ${halt.id}`);
      settle(scene, old.id);
      const { id } = answer.action;
      scene.actions.push({ ...old, id, requester: who });
      scene.clicks.push(clickNow({ action_id: old.id, kind: 'replay', who }));
      scene.clicks.push(clickNow({ action_id: id, kind: 'request', who }));
      model.actions += 1;
    }
  };
  return step(`${who} replays action ${at}${isTwice ? ', twice' : ''}`, run, hasActions);
}

export function dismiss({ at, who }: { at: number; who: string }): Step {
  const run: Step['run'] = async (_model, scene) => {
    const action = actionAt(scene, at);
    const { ctx, plane } = scene.world;
    const dismissal = { actionId: action.id, reason: 'the model' };
    if ((await tryTo(() => dismissDeadLetter(ctx, plane.asker(who), dismissal))) === null) return;
    settle(scene, action.id);
    scene.clicks.push(clickNow({ action_id: action.id, kind: 'dismiss', who }));
  };
  return step(`${who} dismisses action ${at}`, run, hasActions);
}

function settle({ settled }: Scene, id: string): void {
  if (settled.has(id)) throw new Error(`${id} was replayed or dismissed a second time`);
  settled.add(id);
}
