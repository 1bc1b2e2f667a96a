import { MAX_STREAM_HEAD_BYTES, MAX_STREAM_TAIL_BYTES } from '../../protocol/limits.ts';

const LARGEST = MAX_STREAM_HEAD_BYTES + MAX_STREAM_TAIL_BYTES; // what an agent keeps: nothing is left to cut

/**
 * The head and the tail of one stream, half of the limit each, with one line between as an agent writes it. `bytes`
 * counts the whole stream, of which the agent may have left out a part already.
 */
export function cutOutput(text: string, { bytes, limit }: { bytes: number; limit: number }): string {
  const all = Buffer.from(text, 'utf8');
  if (limit >= LARGEST || all.length <= limit) return text;
  const half = Math.floor(limit / 2);
  const head = decode(all.subarray(0, half));
  const tail = decode(all.subarray(-half));
  const leftOut = Math.max(bytes, all.length) - Buffer.byteLength(head) - Buffer.byteLength(tail);
  return `${head}\n[… ${String(leftOut)} bytes left out …]\n${tail}`;
}

/** Without the characters that were cut in two; U+FFFD within stands as the agent sent it. */
function decode(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/^\uFFFD{1,3}|\uFFFD{1,3}$/g, '');
}
