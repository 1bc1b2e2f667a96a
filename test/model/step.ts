import type { AsyncCommand } from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { MedicError } from '../../domain/errors.ts';
import { findCovering } from '../../domain/halt.ts';
import type { Click } from '../checker/evidence.ts';
import type { Scene, SceneAction, SceneServer, StandingHalt } from './scene.ts';

/** What must be known to say what may be tried. */
export interface Model {
  actions: number;
  paused: Set<number>;
  /** Those that end only when somebody lifts them. */
  halts: number;
}

export type Step = AsyncCommand<Model, Scene>;

export function step(
  name: string,
  run: (model: Model, scene: Scene) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Step {
  return { check, run, toString: () => name };
}

/** Two of which the second is begun before the first has ended. */
export function soonAfter(first: Step, second: Step, delayMs: number): Step {
  const run: Step['run'] = async (model, scene) => {
    const later = sleep(delayMs).then(() => second.run(model, scene));
    await Promise.all([first.run(model, scene), later]);
  };
  const check = (model: Readonly<Model>): boolean => [first, second].every((one) => one.check(model));
  return step(`${first.toString()}; ${delayMs} ms later ${second.toString()}`, run, check);
}

export const hasActions = ({ actions }: Readonly<Model>): boolean => actions > 0;

export function serverAt({ servers }: Scene, index: number): SceneServer {
  const server = servers[index % servers.length];
  if (server === undefined) throw new Error('a scene has servers');
  return server;
}

export function actionAt({ actions }: Scene, index: number): SceneAction {
  const action = actions[index % actions.length];
  if (action === undefined) throw new Error('a model has as many actions as its scene');
  return action;
}

/** The halt that forbids this playbook on this server, as far as its end is known; null where none does. */
export function findHalt(scene: Scene, { server, playbook }: Pick<SceneAction, 'server' | 'playbook'>) {
  const tags = scene.servers.filter(({ name }) => name === server).map(({ tag }) => tag);
  return findCovering<StandingHalt>(scene.halts, { tags, playbook });
}

/** What it was answered; null where it was refused: that is no fault, whatever else goes wrong is. */
export async function tryTo<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MedicError) return null;
    throw error;
  }
}

export const clickNow = (click: Omit<Click, 'at'>): Click => ({ ...click, at: new Date().toISOString() });
