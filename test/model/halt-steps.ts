import type { HaltScope } from '../../domain/halt.ts';
import { declareHalt } from '../../services/halts/declare-halt.ts';
import { liftHalt } from '../../services/halts/lift-halt.ts';
import type { RepairName } from './repairs.ts';
import type { Step } from './step.ts';
import { clickNow, serverAt, step } from './step.ts';

const WHO = 'bob';

/** `lastsMs`: until it ends by itself, somewhat later than that; null: when somebody lifts it. */
export function declare(input: {
  scope: HaltScope;
  index: number;
  playbook: RepairName;
  lastsMs: number | null;
}): Step {
  const { scope, index, playbook, lastsMs } = input;
  const what = { all: 'everything', tag: `server ${index} by its tag`, playbook }[scope];
  return step(`${WHO} halts ${what}${lastsMs === null ? '' : ` for ${lastsMs} ms`}`, async (model, scene) => {
    const { tag } = serverAt(scene, index);
    const reach = { all: {}, tag: { tag }, playbook: { playbook } }[scope];
    const until = lastsMs === null ? undefined : new Date(Date.now() + lastsMs);
    const { plane, ctx } = scene.world;
    const halt = await declareHalt(ctx, plane.asker(WHO), { reason: 'the model', until, ...reach });
    scene.clicks.push(clickNow({ kind: 'halt', who: WHO }));
    if (lastsMs !== null) return;
    scene.halts.push({ id: halt.id, scope, value: halt.value });
    model.halts += 1;
  });
}

export function lift(at: number): Step {
  const run: Step['run'] = async (model, scene) => {
    const [halt] = scene.halts.splice(at % scene.halts.length, 1);
    if (halt === undefined) throw new Error('a model has as many halts as its scene');
    model.halts -= 1;
    await liftHalt(scene.world.ctx, scene.world.plane.asker(WHO), { id: String(halt.id) });
    scene.clicks.push(clickNow({ kind: 'unhalt', who: WHO }));
  };
  return step(`${WHO} lifts halt ${at}`, run, ({ halts }) => halts > 0);
}
