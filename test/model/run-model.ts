import fc from 'fast-check';
import { checkRun } from '../checker/check-run.ts';
import { anyStep } from './commands.ts';
import { repairAtOnce } from './people-steps.ts';
import type { Findings } from './scene.ts';
import { gatherFindings, openScene } from './scene.ts';
import type { Model, Step } from './step.ts';
import type { World } from './world.ts';
import { openWorld } from './world.ts';

export interface ModelInput {
  /** Gives the same steps again; what the machine makes of their timing it does not give again. */
  seed: number;
  runs: number;
  /** Drawn at random; a repair on each server comes before them. */
  steps: number;
}

export interface ModelOutcome {
  /** Those that were run: the first that is found at fault is the last. */
  runs: number;
  events: number;
  /** Of processes, by their own account. */
  starts: number;
  /** The seed, the steps and the violations of the run that has any; null where none has. */
  finding: string | null;
}

/**
 * Drives the whole system through `runs` times `steps` random steps of people, faults and time, and hands what each
 * run left behind to the checker. Needs the PostgreSQL and the Temporal of the tests.
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
    const details = await fc.check(property, { seed, numRuns: runs, endOnFailure: true });
    return { runs: details.numRuns, events, starts: world.readMarks().length, finding: await tell(details) };
  } finally {
    await world.close();
  }
}

async function tell(details: fc.RunDetails<[Step[]]>): Promise<string | null> {
  if (!details.failed) return null;
  const { errorInstance: error } = details;
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${(await fc.asyncDefaultReportMessage(details)) ?? ''}\n${why}`;
}

async function runOnce(world: World, input: { commands: Step[]; findings: Findings }): Promise<number> {
  const scene = await openScene(world);
  try {
    const model: Model = { actions: 0, paused: new Set(), halts: 0 };
    await fc.asyncModelRun(() => ({ model, real: scene }), [repairAtOnce(0), repairAtOnce(1), ...input.commands]);
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
