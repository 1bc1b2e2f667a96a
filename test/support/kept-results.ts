import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** One run of a test at length, as bench/results keeps it. */
export interface KeptRun {
  seed: number;
  commit: string;
  /** When it began, ISO 8601: what tells the runs apart. */
  date: string;
  counts: Readonly<Record<string, number>>;
  findings: readonly string[];
}

export function beginRun(seed: number): Pick<KeptRun, 'seed' | 'commit' | 'date'> {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  return { seed, commit, date: new Date().toISOString() };
}

/** Adds a run to those of a file, with the sum of all; what it said of itself before it says anew. */
export function keepRun(path: string, latest: KeptRun): void {
  const runs = withRun(path, latest);
  const total: Record<string, number> = {};
  for (const { counts } of runs)
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
  writeResults(path, { total, runs });
}

/** The runs of a file and the latest, which takes the place of what it said before. Throws where the file is broken. */
export function withRun<R extends { date: string }>(path: string, latest: R): R[] {
  const earlier = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { runs: R[] }).runs : [];
  return [...earlier.filter(({ date }) => date !== latest.date), latest];
}

/** The file is whole at every moment. */
export function writeResults(path: string, results: object): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, `${JSON.stringify(results, null, 2)}\n`);
  renameSync(`${path}.tmp`, path);
}
