import fc from 'fast-check';
import { checkRun } from '../checker/check-run.ts';
import type { Model, Step } from './commands.ts';
import { anyStep } from './commands.ts';
import type { Findings } from './scene.ts';
import { gatherFindings, openScene } from './scene.ts';
import type { World } from './world.ts';
import { openWorld } from './world.ts';

export interface ModelInput {
  /** Gives the same steps again; what the machine makes of their timing it does not give again. */
  seed: number;
  runs: number;
  steps: number;
}

export interface ModelOutcome {
  runs: number;
  steps: number;
  events: number;
  /** Of processes, by their own account. */
  starts: number;
}

/**
 * Drives the whole system through `runs` times `steps` random steps of people, faults and time, and hands what each
 * run left behind to the checker. Rejects with the seed, the steps and the violations of the first run that has any.
 * Needs the PostgreSQL and the Temporal of the tests.
 */
export async function runModel({ seed, runs, steps }: ModelInput): Promise<ModelOutcome> {
  const world = await openWorld();
  const findings: Findings = { journals: [], clicks: [], witnesses: [], underWay: [] };
  let events = 0;
  const way = fc.array(anyStep(), { minLength: steps, maxLength: steps });
  const property = fc.asyncProperty(way, async (commands) => {
    events = await runOnce(world, { commands, findings });
  });
  try {
    // Nothing is shrunk: the system is not as it was, and each try takes seconds.
    await fc.assert(property, { seed, numRuns: runs, endOnFailure: true });
    return { runs, steps: runs * steps, events, starts: world.readMarks().length };
  } finally {
    await world.close();
  }
}

async function runOnce(world: World, input: { commands: Step[]; findings: Findings }): Promise<number> {
  const scene = await openScene(world);
  try {
    const model: Model = { actions: 0, paused: new Set() };
    await fc.asyncModelRun(() => ({ model, real: scene }), input.commands);
    const underWay = await scene.settle();
    const evidence = await gatherFindings({ scene, findings: input.findings, underWay });
    const violations = checkRun(evidence);
    if (violations.length === 0) return evidence.audit.length;
    const told = violations.map(({ invariant, where, sentence }) => `${invariant} ${where}: ${sentence}`);
    throw new Error(`the checker found\n${told.join('\n')}`);
  } finally {
    await scene.stop();
  }
}
