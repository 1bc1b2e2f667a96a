import { MASK, findSecrets, replaceRanges } from './find-secrets.ts';

const MAX_HELD_CHARS = 64 * 1024; // a line longer than this is passed on in parts
const OVERLAP_CHARS = 8 * 1024; // kept back then, so that a secret across the cut is still seen whole

export interface MaskStream {
  /** Masked text that is safe to keep; may be empty while a line or a key is not complete. */
  push(text: string): string;
  /** The rest, at the end of the stream. */
  end(): string;
}

export function maskText(text: string, extra: readonly RegExp[] = []): string {
  return replaceRanges(text, findSecrets(text, extra));
}

/**
 * Masks a stream whatever its chunks: text is passed on only up to the end of a line, and a secret that is still
 * open there (a PEM block) is kept back whole. A block beyond 64 Ki characters is swallowed to its end.
 */
export function createMaskStream(extra: readonly RegExp[] = []): MaskStream {
  let held = '';
  let isSwallowing = false; // inside a PEM block whose start was masked already
  return {
    push(text) {
      held += text;
      if (isSwallowing) {
        const end = /-----END [A-Z0-9 ]{1,64}-----/.exec(held);
        if (end === null) {
          held = held.slice(-OVERLAP_CHARS);
          return '';
        }
        held = held.slice(end.index + end[0].length);
        isSwallowing = false;
      }
      if (!held.includes('\n') && held.length <= MAX_HELD_CHARS) return '';
      const split = splitSafely(held, extra);
      held = split.rest;
      isSwallowing = split.isSwallowing;
      return split.masked;
    },
    end() {
      const masked = isSwallowing ? '' : maskText(held, extra);
      held = '';
      return masked;
    },
  };
}

interface Split {
  masked: string;
  rest: string;
  isSwallowing: boolean;
}

function splitSafely(text: string, extra: readonly RegExp[]): Split {
  const ranges = findSecrets(text, extra);
  const openBlock = findOpenBlock(text);
  let cut = text.lastIndexOf('\n') + 1;
  if (text.length - cut > MAX_HELD_CHARS) cut = text.length - OVERLAP_CHARS;
  cut = Math.min(cut, openBlock);
  // Without its name the rest of a secret would not be known for one.
  for (const [, end, from] of ranges.toReversed()) if (from < cut && end > cut) cut = from;
  const head = text.slice(0, cut);
  if (text.length - cut <= 2 * MAX_HELD_CHARS) {
    return { masked: replaceRanges(head, ranges), rest: text.slice(cut), isSwallowing: false };
  }
  if (cut === openBlock) return { masked: replaceRanges(head, ranges) + MASK, rest: '', isSwallowing: true };
  return { masked: replaceRanges(text, ranges), rest: '', isSwallowing: false };
}

/** Where a PEM block starts that has no end yet; Infinity where none is open. */
function findOpenBlock(text: string): number {
  const start = text.lastIndexOf('-----BEGIN ');
  return start === -1 || text.includes('-----END ', start) ? Infinity : start;
}
