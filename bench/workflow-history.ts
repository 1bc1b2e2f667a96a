import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Events in a workflow's history, counted in the histories that were recorded on a real Temporal server
 * (test/replay/record-histories.ts; test/workflow counts them anew at each run). Temporal is what limits throughput,
 * and its cost goes by events.
 */
const LIMITS: Readonly<Record<string, number>> = { 'automatic-completed': 20, 'approved-completed': 28 };
const root = join(import.meta.dirname, '..', 'test', 'replay', 'histories');

for (const release of readdirSync(root)) {
  for (const [name, limit] of Object.entries(LIMITS)) {
    const history = JSON.parse(readFileSync(join(root, release, `${name}.json`), 'utf8')) as { events: unknown[] };
    const events = history.events.length;
    console.log(
      `history ${release}/${name}: ${events} events, ${(events / limit).toFixed(2)} of the limit of ${limit}`,
    );
  }
}
