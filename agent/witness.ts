import { readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { durably } from '../domain/durable-step.ts';
import { decodeCheckpoint, verifyCheckpoint } from '../protocol/checkpoint.ts';
import type { Checkpoint } from '../protocol/checkpoint.ts';
import type { CommandKey } from '../protocol/messages.ts';
import { list, object, read, text } from '../protocol/shape.ts';
import { writeDurably } from './durable-file.ts';
import { readErrorCode } from './failure.ts';
import type { Log } from './log.ts';

export const WITNESS = 'witness.json';
const RECENT = 100; // all of the last hour and more
const DAYS = 365; // of what is older the last one of each day
const MAX_CONTRADICTIONS = 100;

const jws = text({ max: 4096 });
const shape = object({
  server_id: text({ max: 128 }),
  checkpoints: list(jws, { max: RECENT + DAYS }),
  contradictions: list(jws, { max: MAX_CONTRADICTIONS }),
});

/** Checkpoints as they were signed, oldest first; `contradictions` holds both sides of each, and is never thinned. */
export interface WitnessFile {
  server_id: string;
  checkpoints: string[];
  contradictions: string[];
}

export interface Witness {
  /** On disk when it returns. Rejects only where it cannot be; then it is heard anew with the next answer. */
  hear(input: { jws: string; keys: readonly CommandKey[] }): Promise<void>;
}

/**
 * Keeps what the control plane signed about its audit log, out of its reach: an auditor holds the log against it. One
 * that says less than an earlier one, or something else of as many events, is the sign of a log that was rewritten: told
 * as an error and kept beside the earlier one, which stays. What another server's enrolment left is set aside.
 */
export async function openWitness(input: { folder: string; serverId: string; log: Log }): Promise<Witness> {
  const { serverId, log } = input;
  const path = join(input.folder, WITNESS);
  let file = (await openFile(path, { serverId, log })) ?? { server_id: serverId, checkpoints: [], contradictions: [] };
  let lastHeard = file.checkpoints.at(-1);

  const keep = async (next: WitnessFile): Promise<void> => {
    await writeDurably(path, { text: `${JSON.stringify(next, null, 2)}\n`, step: 'agent.witness' });
    file = next;
  };
  const judge = async (heard: { jws: string; checkpoint: Checkpoint }): Promise<void> => {
    const newest = file.checkpoints.at(-1);
    const known = newest === undefined ? undefined : decodeCheckpoint(newest);
    if (newest === undefined || known === undefined || heard.checkpoint.count > known.count) {
      await keep({ ...file, checkpoints: thin([...file.checkpoints, heard.jws]) });
      return;
    }
    const { count, head } = heard.checkpoint;
    if (count === known.count && head === known.head) return;
    const facts = { kept_count: known.count, kept_head: known.head, count, head };
    log('error', 'the control plane takes back what it signed: its audit log may have been rewritten', facts);
    const both = [newest, heard.jws].filter((side) => !file.contradictions.includes(side));
    if (file.contradictions.length + both.length > MAX_CONTRADICTIONS) return;
    await keep({ ...file, contradictions: [...file.contradictions, ...both] });
  };

  return {
    async hear(heard) {
      if (heard.jws === lastHeard) return;
      const checkpoint = await verifyCheckpoint(heard);
      if (checkpoint === undefined) log('warn', 'dropped a checkpoint that our control plane has not signed');
      else await judge({ jws: heard.jws, checkpoint });
      lastHeard = heard.jws;
    },
  };
}

/** Null where there is none. Rejects where it cannot be read; `undefined` where it is damaged. */
export async function readWitness(folder: string): Promise<WitnessFile | null | undefined> {
  let content: string;
  try {
    content = await readFile(join(folder, WITNESS), 'utf8');
  } catch (error) {
    if (readErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const reading = read(shape, JSON.parse(content));
    return reading.isValid ? reading.value : undefined;
  } catch {
    return undefined;
  }
}

/** The file of this enrolment; any other is renamed and never written to again. */
async function openFile(
  path: string,
  { serverId, log }: { serverId: string; log: Log },
): Promise<WitnessFile | undefined> {
  const file = await readWitness(dirname(path));
  if (file === null || file?.server_id === serverId) return file ?? undefined;
  const aside = `${path}.${String(Date.now())}`;
  await durably('agent.witness', () => rename(path, aside));
  const why = file === undefined ? 'it is damaged' : 'it is of another enrolment';
  log(file === undefined ? 'error' : 'warn', `set the kept checkpoints aside: ${why}`, { file: aside });
  return undefined;
}

function thin(checkpoints: readonly string[]): string[] {
  const firstRecent = checkpoints.length - RECENT;
  const days = checkpoints.map((kept) => decodeCheckpoint(kept)?.at.slice(0, 10));
  return checkpoints.filter((_, i) => i >= firstRecent || days[i] !== days[i + 1]).slice(-(RECENT + DAYS));
}
