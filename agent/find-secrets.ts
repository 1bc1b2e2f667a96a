export const MASK = '[masked]';

/** No pattern may take more than linear time: the text comes from strangers. The last group is what is masked. */
const SECRET_PATTERNS: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]{1,64}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,64}-----|$(?![\s\S]))/g,
  /\beyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g, // JWT
  /\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b/g, // AWS key ids
  /\bAIza[A-Za-z0-9_-]{35}/g, // Google API keys
  /\bya29\.[A-Za-z0-9_-]{20,}/g, // Google OAuth
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g,
  /\b(?:xox[abeoprs]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,})/g, // Slack
  /\bhooks\.slack\.com\/services\/[A-Za-z0-9/]+/g,
  /:\/\/[^\s:/@]{0,256}:([^\s/@]{1,512})@/g, // the password of a URL
  /\bauthorization["']?\s{0,4}[:=]\s{0,4}["']?([^\r\n"']{1,8192})/gi,
  /(?:password|passwd|passphrase|token|secret|api[_-]?key|private[_-]?key|access[_-]?key)[\w.-]{0,64}["']?\s{0,4}[=:]\s{0,4}("(?:[^"\\\r\n]|\\.){0,8192}"?|'[^'\r\n]{0,8192}'?|[^\s,;&]+)/gi,
  /--?[\w-]{0,32}(?:password|token|secret)[\w-]{0,32}\s{1,4}([^\s-]\S*)/gi,
];

/** Where a secret stands, as `slice` takes it. */
export type Range = readonly [start: number, end: number];

/** Where secrets stand, the owner's patterns included, in order and without overlap. */
export function findSecrets(text: string, extra: readonly RegExp[]): Range[] {
  const found: Range[] = [];
  for (const pattern of [...SECRET_PATTERNS, ...extra]) {
    for (const match of text.matchAll(asGlobal(pattern))) {
      if (match[0] === '') continue;
      const secret = match.at(-1) ?? match[0];
      const offset = match[0].lastIndexOf(secret);
      found.push([match.index + offset, match.index + offset + secret.length]);
    }
  }
  found.sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [start, end] of found) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/** Puts the mask in the place of each. */
export function replaceRanges(text: string, ranges: readonly Range[]): string {
  let result = '';
  let at = 0;
  for (const [start, end] of ranges) {
    if (start >= text.length) break;
    result += text.slice(at, start) + MASK;
    at = Math.max(at, end);
  }
  return result + text.slice(at);
}

function asGlobal(pattern: RegExp): RegExp {
  return pattern.global ? pattern : new RegExp(pattern.source, `${pattern.flags}g`);
}
