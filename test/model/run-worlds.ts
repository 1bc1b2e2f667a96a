import { runModel } from './run-model.ts';

const RUNS_A_WORLD = 10; // one log holds all runs of a world, and each run is judged with the whole of it

export interface Counts {
  runs: number;
  steps: number;
  events: number;
  starts: number;
  findings: number;
}

export interface Worlds {
  counts: Counts;
  findings: string[];
}

/**
 * The model at any length, a fresh database every few runs, each with a seed of its own from `seed` on: the first runs
 * of `seed + n` are those of world n. `onWorld` hears of the sum after each.
 */
export async function runWorlds(
  input: { seed: number; runs: number; steps: number },
  onWorld: (sum: Worlds) => void = () => undefined,
): Promise<Worlds> {
  const counts: Counts = { runs: 0, steps: 0, events: 0, starts: 0, findings: 0 };
  const findings: string[] = [];
  for (let world = 0; world * RUNS_A_WORLD < input.runs; world++) {
    const seed = input.seed + world;
    const runs = Math.min(RUNS_A_WORLD, input.runs - world * RUNS_A_WORLD);
    const outcome = await runModel({ seed, runs, steps: input.steps });
    if (outcome.finding !== null) findings.push(`MODEL_SEED=${String(seed)}: ${outcome.finding}`);
    counts.runs += outcome.runs;
    counts.steps += outcome.runs * input.steps;
    counts.events += outcome.events;
    counts.starts += outcome.starts;
    counts.findings = findings.length;
    onWorld({ counts, findings });
  }
  return { counts, findings };
}
