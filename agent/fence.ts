import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { durably } from '../domain/durable-step.ts';
import { writeDurably } from './durable-file.ts';
import { readErrorCode } from './failure.ts';
import { checksum } from './journal-lines.ts';

const SLOT_BYTES = 8192; // room for all keys below, whatever their names
const KEPT_KEYS = 32; // twice what a control plane may name at once; a command of an older key is a stranger's

/** What the last command that counts was, and the highest seq of each key, so that a lost record reopens nothing. */
export interface FenceContent {
  generation: number;
  seqs: [kid: string, seq: number][];
  last: FencedCommand | null;
}

export interface FencedCommand {
  command_id: string;
  attempt: number;
  kid: string;
  seq: number;
  at: string;
}

/** `unsound`: a crash while it was written, or damage; which of the two, it cannot tell. */
export type FenceReading = { state: 'absent' | 'unsound' } | { state: 'sound'; content: FenceContent };

export interface Fence {
  /** On disk when it returns. Needs no room: it is written over in place. */
  raise(command: FencedCommand): Promise<void>;
  close(): Promise<void>;
}

/**
 * A second, small file beside the journal, written after a command's record and before anything of it starts. Two slots
 * take turns, so that a write that breaks off spoils only what it would have replaced.
 */
export async function readFence(path: string): Promise<FenceReading> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (readErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return { state: 'absent' };
  try {
    const bytes = await file.readFile();
    const [first, second] = [0, 1].map((slot) => decodeSlot(bytes, slot));
    if (first === undefined || second === undefined || bytes.length !== 2 * SLOT_BYTES) return { state: 'unsound' };
    if (Math.abs(first.generation - second.generation) !== 1) return { state: 'unsound' };
    return { state: 'sound', content: first.generation > second.generation ? first : second };
  } finally {
    await file.close();
  }
}

/** Made anew as a whole, with this in it. */
export async function makeFence(path: string, { seqs, last }: Omit<FenceContent, 'generation'>): Promise<FenceContent> {
  const [older, newer] = [0, 1].map((generation): FenceContent => ({ generation, seqs, last }));
  if (older === undefined || newer === undefined) throw new Error('unreachable');
  await writeDurably(path, { text: `${encodeSlot(older)}${encodeSlot(newer)}`, step: 'agent.fence' });
  return newer;
}

export async function openFence(path: string, content: FenceContent): Promise<Fence> {
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  let current = content;
  return {
    async raise({ command_id, attempt, kid, seq, at }) {
      const others = current.seqs.filter(([key]) => key !== kid);
      const before = current.seqs.find(([key]) => key === kid)?.[1] ?? 0;
      const next: FenceContent = {
        generation: current.generation + 1,
        seqs: [...others, [kid, Math.max(before, seq)] as [string, number]].slice(-KEPT_KEYS),
        last: { command_id, attempt, kid, seq, at },
      };
      const bytes = Buffer.from(encodeSlot(next), 'utf8');
      await durably('agent.fence', async () => {
        const { bytesWritten } = await file.write(bytes, 0, bytes.length, (next.generation % 2) * SLOT_BYTES);
        if (bytesWritten !== bytes.length) throw new Error('the fence of the journal could not be written whole');
        await file.datasync();
      });
      current = next;
    },
    close: () => file.close(),
  };
}

/** Always as long as its slot; throws where a content would not fit. */
function encodeSlot(content: FenceContent): string {
  const text = JSON.stringify(content);
  const line = `{"sum":"${checksum(text)}","fence":${text}}`;
  const blanks = SLOT_BYTES - 1 - Buffer.byteLength(line);
  if (blanks < 0) throw new Error('the fence of the journal does not fit its slot');
  return `${line}${' '.repeat(blanks)}\n`;
}

const SLOT = /^\{"sum":"([0-9a-f]{16})","fence":(.*)\} *\n$/s;

function decodeSlot(bytes: Buffer, slot: number): FenceContent | undefined {
  const line = bytes.toString('utf8', slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
  const [, sum, text] = SLOT.exec(line) ?? [];
  return text === undefined || sum !== checksum(text) ? undefined : (JSON.parse(text) as FenceContent);
}
