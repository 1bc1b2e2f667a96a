import { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidInputError } from '../../domain/errors.ts';
import { verifyChain } from '../../protocol/audit-chain.ts';
import type { Json } from '../api-client.ts';
import { callApi } from '../api-client.ts';
import { EXIT } from '../exit.ts';
import { print, toJsonLine } from '../print.ts';
import { readTextLines } from '../text-lines.ts';

/** No control plane has an empty log, so an export that failed must not pass for a good one. */
const EMPTY = { isIntact: false, code: 'empty', line: 1, sentence: 'There is no event at all.' } as const;

export function createCommand(setExitCode: (code: number) => void): Command {
  const command = new Command('audit').description('The audit log');
  command
    .command('export')
    .description('all events as JSON Lines, oldest first; needs MEDIC_URL and MEDIC_TOKEN')
    .option('--json', 'the same: it always prints JSON')
    .action(exportAll);
  command
    .command('verify <file>')
    .description('checks the chain offline; - reads stdin')
    .option('--json', 'prints JSON')
    .action(async (file: string, { json }: { json?: boolean }) => {
      if (!(await verify(file, json))) setExitCode(EXIT.failed);
    });
  return command;
}

/** A reader that has seen enough (`| head`) is no failure. */
async function exportAll(): Promise<void> {
  await pipeline(Readable.from(readLines()), process.stdout, { end: false }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  });
}

async function* readLines(): AsyncGenerator<string> {
  for (let after: unknown = null; ;) {
    const query = typeof after === 'string' ? `&after=${encodeURIComponent(after)}` : '';
    const { items, next } = await callApi('GET', `/audit?limit=1000${query}`);
    for (const event of items as Json[]) yield `${toJsonLine(event)}\n`;
    if (next === null || next === undefined) return;
    after = next;
  }
}

async function verify(file: string, isJson: boolean | undefined): Promise<boolean> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `${file} cannot be read (${cause.code ?? cause.message}).`;
      reject(new InvalidInputError(message, { code: 'unreadable_file', cause }));
    });
  });
  const read = await Promise.race([verifyChain(readTextLines(input)), failed]);
  const reading = read.isIntact && read.count === 0 ? EMPTY : read;
  const words = reading.isIntact
    ? `Intact: ${reading.count} events, head ${reading.head}.`
    : `Line ${reading.line}: ${reading.sentence} (${reading.code})`;
  const { isIntact, ...facts } = reading;
  print(isJson, { is_intact: isIntact, ...facts }, words);
  return reading.isIntact;
}
