import type { JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { checkRun } from './check-run.ts';
import type { Click, Evidence, Shown } from './evidence.ts';
import { readWitness } from './witness-file.ts';

const USAGE = `usage: node test/checker/main.ts --audit FILE [--journal FILE …] [--slack FILE] [--database FILE]
         [--clicks FILE] [--processes FILE] [--witness FILE [--keys FILE]] [--settled] [--late SECONDS]
FILE of --audit is what \`medic audit export\` prints, of --journal a journal.jsonl; --slack, --database and --clicks
are JSON lists; --processes holds a command's id a line, from each process that was started; --witness is what
\`medic agent witness\` prints, a signed checkpoint a line; --keys a JSON list of the keys (JWK) they may be signed by.
`;

function readEvidence(): Evidence | null {
  const file = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      ...{ audit: file, journal: { ...file, multiple: true }, slack: file, database: file, clicks: file },
      ...{ processes: file },
      ...{ witness: file, keys: file, settled: { type: 'boolean' }, late: file },
    },
  });
  if (values.audit === undefined) return null;
  const { witness, keys, late, processes } = values;
  const trusted = keys === undefined ? undefined : readList<JsonWebKey>(keys);
  return {
    audit: readLines(values.audit),
    journals: (values.journal ?? []).map((path) => ({ name: nameOf(path), lines: readLines(path) })),
    ...(values.settled === true ? { underWay: [] } : {}),
    ...(values.slack === undefined ? {} : { slack: readList<Shown>(values.slack) }),
    ...(values.database === undefined ? {} : { database: readList<Shown>(values.database) }),
    ...(values.clicks === undefined ? {} : { clicks: readList<Click>(values.clicks) }),
    ...(processes === undefined ? {} : { processes: readLines(processes) }),
    ...(late === undefined ? {} : { lateS: Number(late) }),
    ...(witness === undefined ? {} : { witnesses: readWitness(readFileSync(witness, 'utf8'), trusted) }),
  };
}

function readList<T>(path: string): T[] {
  return JSON.parse(readFileSync(path, 'utf8')) as T[];
}

function readLines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** A journal is called `journal.jsonl` everywhere: its folder tells the servers apart. */
function nameOf(path: string): string {
  return `${basename(dirname(path))}/${basename(path)}`;
}

const evidence = readEvidence();
if (evidence === null) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const violations = checkRun(evidence);
  for (const { invariant, where, sentence } of violations) console.log(`${invariant}  ${where}  ${sentence}`);
  const counted = `${evidence.audit.length} events, ${evidence.journals.length} journals`;
  console.log(`${counted}: ${violations.length === 0 ? 'no violation' : `${violations.length} violations`}`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
