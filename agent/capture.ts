import { createHash } from 'node:crypto';
import { MAX_STREAM_HEAD_BYTES, MAX_STREAM_TAIL_BYTES } from '../protocol/limits.ts';
import { createMaskStream } from './mask.ts';

export interface CapturedStream {
  text: string;
  /** Of the whole masked stream, not only of what is kept. */
  bytes: number;
  sha256: string;
  isTruncated: boolean;
}

export interface Capture {
  write(chunk: Uint8Array): void;
  /** Text of our own between the command's. */
  note(line: string): void;
  finish(): CapturedStream;
}

/**
 * Keeps the first and the last 32 KiB of a stream, masked before anything is kept, in constant memory. What is no
 * UTF-8, and NUL, which no text column holds, becomes U+FFFD.
 */
export function createCapture(ownPatterns: readonly RegExp[] = []): Capture {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const mask = createMaskStream(ownPatterns);
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  let tail = Buffer.alloc(0);
  let bytes = 0;
  const keep = (text: string): void => {
    if (text === '') return;
    const chunk = Buffer.from(text, 'utf8');
    hash.update(chunk);
    bytes += chunk.length;
    const room = MAX_STREAM_HEAD_BYTES - head.length;
    if (room > 0) head = Buffer.concat([head, chunk.subarray(0, room)]);
    if (chunk.length > room)
      tail = Buffer.concat([tail, chunk.subarray(Math.max(0, room))]).subarray(-MAX_STREAM_TAIL_BYTES);
  };
  const decode = (chunk?: Uint8Array): string =>
    (chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })).replaceAll('\u0000', '\uFFFD');
  return {
    write: (chunk) => {
      keep(mask.push(decode(chunk)));
    },
    note: (line) => {
      keep(mask.push(`${line}\n`));
    },
    finish() {
      keep(mask.push(decode()));
      keep(mask.end());
      const sha256 = `sha256:${hash.digest('hex')}`;
      const isTruncated = bytes > head.length + tail.length;
      const text = isTruncated ? joinEnds({ head, tail, bytes }) : Buffer.concat([head, tail]).toString('utf8');
      return { text, bytes, sha256, isTruncated };
    },
  };
}

function joinEnds(kept: { head: Buffer; tail: Buffer; bytes: number }): string {
  const head = dropBrokenEnd(kept.head);
  const tail = dropBrokenStart(kept.tail);
  const leftOut = kept.bytes - head.length - tail.length;
  return `${head.toString('utf8')}\n[… ${String(leftOut)} bytes left out …]\n${tail.toString('utf8')}`;
}

function dropBrokenStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length && isContinuation(bytes[start])) start += 1;
  return bytes.subarray(start);
}

function dropBrokenEnd(bytes: Buffer): Buffer {
  let start = bytes.length - 1;
  while (start > 0 && isContinuation(bytes[start])) start -= 1;
  const lead = bytes[start] ?? 0;
  const isComplete = bytes.length - start === lengthOf(lead);
  return isComplete ? bytes : bytes.subarray(0, start);
}

function lengthOf(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
