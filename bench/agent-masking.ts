import { maskText } from '../agent/mask.ts';
import { createDice } from '../test/support/seeded.ts';
import { createOrdinaryLine, createTalkingLine } from './ordinary-lines.ts';

/*
 * Whether masking takes linear time for lines that a stranger made to be slow: the time for twice the length ÷ the
 * time for the length, about 2 where it is linear and 4 where it is quadratic: `node bench/agent-masking.ts`.
 */
const LENGTH = 64 * 1024; // the longest piece of a line that is looked at as one
const RUNS = 5;

for (const unit of ['password', '://a', '-token', '-eyJaaaaaaaa', 'a'.repeat(50), '-----BEGIN A', '.eyJaaaaaaaa.a']) {
  const line = unit.repeat(Math.ceil(LENGTH / unit.length));
  maskText(line);
  const ratio = measure(line + line) / measure(line);
  console.log(`masking lines of ${JSON.stringify(unit)}: twice the length takes ${ratio.toFixed(1)} × the time`);
}

/** The best of some runs: what disturbs only ever adds. */
function measure(line: string): number {
  const times = Array.from({ length: RUNS }, () => {
    const startedAt = performance.now();
    maskText(line);
    return performance.now() - startedAt;
  });
  return Math.min(...times);
}

/*
 * How often masking takes something that is no secret: of ordinary lines, some of which speak of tokens and passwords, and
 * of lines that all do, how many hold a mask.
 */
const LINES = 10_000;
count('ordinary lines', createOrdinaryLine);
count('lines that all speak of secrets', createTalkingLine);

function count(what: string, create: typeof createOrdinaryLine): void {
  const dice = createDice(1);
  const hits = Array.from({ length: LINES }, () => create(dice)).filter((line) => maskText(line) !== line);
  const percent = ((100 * hits.length) / LINES).toFixed(2);
  console.log(`masking ${LINES} ${what}: ${hits.length} held a false hit, ${percent} %`);
  for (const line of [...new Map(hits.map((hit) => [hit.replaceAll(/\d+/g, ''), hit])).values()].slice(0, 5)) {
    console.log(`  such as ${JSON.stringify(line)} → ${JSON.stringify(maskText(line))}`);
  }
}
