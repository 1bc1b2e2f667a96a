import { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidInputError } from '../../domain/errors.ts';
import type { ChainReading } from '../../protocol/audit-chain.ts';
import { verifyChain } from '../../protocol/audit-chain.ts';
import type { Checkpoint } from '../../protocol/checkpoint.ts';
import type { ApiClient, Json } from '../api-client.ts';
import { createApiClient } from '../api-client.ts';
import { readEvidence } from '../audit-evidence.ts';
import type { Evidence } from '../audit-evidence.ts';
import type { CommandInput } from '../command-groups.ts';
import { EXIT } from '../exit.ts';
import { print, toJsonLine } from '../print.ts';
import { readTextLines } from '../text-lines.ts';

/** No control plane has an empty log, so an export that failed must not pass for a good one. */
const EMPTY = { isIntact: false, code: 'empty', line: 1, sentence: 'There is no event at all.' } as const;

export function createCommand({ env, setExitCode }: CommandInput): Command {
  const command = new Command('audit').description('The audit log');
  command
    .command('export')
    .description('all events as JSON Lines, oldest first; needs MEDIC_URL and MEDIC_TOKEN')
    .option('--checkpoint <file>', 'writes the newest signed checkpoint there, which the events then reach')
    .option('--keys <file>', 'writes the public keys that sign checkpoints there')
    .option('--json', 'the same: it always prints JSON')
    .action(async (files: EvidenceFiles) => {
      const callApi = createApiClient(env);
      await saveCheckpoint(callApi, files);
      await exportAll(callApi);
    });
  command
    .command('verify <file>')
    .description('checks the chain offline; - reads stdin')
    .option('--witness <file>', 'checkpoints that the log must agree with, as `medic agent witness` prints them')
    .option('--keys <file>', 'the public keys that sign them, as `medic agent witness --keys` prints them')
    .option('--json', 'prints JSON')
    .action(async (file: string, options: VerifyOptions) => {
      if (!(await verify(file, options))) setExitCode(EXIT.failed);
    });
  return command;
}

interface EvidenceFiles {
  checkpoint?: string;
  keys?: string;
}

/** Before the events are read, so that they reach it. */
async function saveCheckpoint(callApi: ApiClient, files: EvidenceFiles): Promise<void> {
  if (files.checkpoint === undefined && files.keys === undefined) return;
  const { checkpoint, keys } = await callApi('GET', '/audit/checkpoint');
  if (files.checkpoint !== undefined) await writeFile(files.checkpoint, `${String(checkpoint)}\n`);
  if (files.keys !== undefined) await writeFile(files.keys, `${JSON.stringify({ keys }, null, 2)}\n`);
}

/** A reader that has seen enough (`| head`) is no failure. */
async function exportAll(callApi: ApiClient): Promise<void> {
  await pipeline(Readable.from(readLines(callApi)), process.stdout, { end: false }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  });
}

async function* readLines(callApi: ApiClient): AsyncGenerator<string> {
  for (let after: unknown = null; ;) {
    const query = typeof after === 'string' ? `&after=${encodeURIComponent(after)}` : '';
    const { items, next } = await callApi('GET', `/audit?limit=1000${query}`);
    for (const event of items as Json[]) yield `${toJsonLine(event)}\n`;
    if (next === null || next === undefined) return;
    after = next;
  }
}

interface VerifyOptions {
  witness?: string;
  keys?: string;
  json?: boolean;
}

async function verify(file: string, options: VerifyOptions): Promise<boolean> {
  const evidence = await readOptionalEvidence(options);
  const reading = evidence.isSound
    ? await readLog(file, evidence.checkpoints)
    : { isIntact: false as const, ...evidence.fault };
  const words = reading.isIntact ? describeIntact(reading, evidence) : describeFault(reading);
  const { isIntact, ...facts } = reading;
  const checkpoints = evidence.isSound ? evidence.checkpoints.length : 0;
  print(options.json, { is_intact: isIntact, ...facts, checkpoints }, words);
  return isIntact;
}

async function readOptionalEvidence({ witness, keys }: VerifyOptions): Promise<Evidence> {
  if (witness === undefined && keys === undefined) return { isSound: true, checkpoints: [] };
  if (witness !== undefined && keys !== undefined) return readEvidence({ witness, keys });
  const message = 'A witness is checked by the keys that signed it: give both --witness and --keys.';
  throw new InvalidInputError(message, { code: 'witness_without_keys' });
}

async function readLog(file: string, checkpoints: readonly Checkpoint[]): Promise<ChainReading | typeof EMPTY> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `${file} cannot be read (${cause.code ?? cause.message}).`;
      reject(new InvalidInputError(message, { code: 'unreadable_file', cause }));
    });
  });
  const reading = await Promise.race([verifyChain(readTextLines(input), { checkpoints }), failed]);
  return reading.isIntact && reading.count === 0 ? EMPTY : reading;
}

function describeIntact({ count, head }: { count: number; head: string }, evidence: Evidence): string {
  const checkpoints = evidence.isSound ? evidence.checkpoints : [];
  const seen = Math.max(0, ...checkpoints.map((checkpoint) => checkpoint.count));
  const agrees = `It agrees with ${checkpoints.length} signed checkpoints; the last covers ${seen} of its events.`;
  const doubt = 'Nothing was held against it: whether it was cut off or rewritten as a whole, only a witness can tell.';
  return `Intact: ${count} events, head ${head}.\n${checkpoints.length === 0 ? doubt : agrees}`;
}

function describeFault({ line, sentence, code }: { line: number; sentence: string; code: string }): string {
  return code === 'bad_checkpoint' ? `${sentence} (${code})` : `Line ${line}: ${sentence} (${code})`;
}
