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
];

/** The value of something whose name speaks of a secret: the name is the first group, the value the last. */
const NAMED_PATTERNS: readonly RegExp[] = [
  /((?:password|passwd|passphrase|token|secret|api[_-]?key|private[_-]?key|access[_-]?key)[\w.-]{0,64})["']?\s{0,4}[=:]\s{0,4}("(?:[^"\\\r\n]|\\.){0,8192}"?|'[^'\r\n]{0,8192}'?|[^\s,;&]+)/gi,
  /--?[\w-]{0,32}((?:password|token|secret)[\w-]{0,32})\s{1,4}([^\s-]\S*)/gi,
];

/** `tokens`, `token_count`, `passwordLength`, `token-ttl`: a number of them, or a measure of one. */
const MEASURE =
  /(?:s|[_.-]?(?:count|total|limit|length|size|ttl|age|expiry|expires|expires_in|timeout|retries|attempts|version))$/i;
/** Seven digits at most: a number that could be somebody's code is masked whatever its name. */
const NUMBER = /^-?\d{1,7}(?:\.\d{1,3})?(?:ms|s|m|h|d|%|kb|mb)?$/i;
/** `token_file`, `--password-file`: where one is kept. */
const PLACE = /[_.-]?(?:file|path|dir)$/i;
const PATH = /^(?:~|\.{1,2})?\/[\w./-]{1,256}$/;
/** What programs print in the place of one, or where there is none. */
const NOTHING =
  /^(?:null|nil|none|undefined|true|false|yes|no|[!-/:-@[-`{-~]{0,3}|\*{4,64}|[[<(](?:redacted|masked|hidden|filtered)[\])>]?)$/i;

/** Whether this is the value of something that only sounds like a secret. */
function isHarmless(name: string, value: string): boolean {
  const bare = /^["']?(.{0,300}?)["'}\])]{0,8}[.!]?$/s.exec(value)?.[1];
  if (bare === undefined) return false; // too long to be any of these
  if (NOTHING.test(bare)) return true;
  return MEASURE.test(name) ? NUMBER.test(bare) : PLACE.test(name) && PATH.test(bare);
}

/** Where a secret stands, as `slice` takes it; `from` is where what shows it to be one begins, such as its name. */
export type Range = readonly [start: number, end: number, from: number];

/** Where secrets stand, the owner's patterns included, in order and without overlap. */
export function findSecrets(text: string, extra: readonly RegExp[]): Range[] {
  const found: Range[] = [];
  for (const pattern of [...SECRET_PATTERNS, ...NAMED_PATTERNS, ...extra]) {
    for (const match of text.matchAll(asGlobal(pattern))) {
      if (match[0] === '') continue;
      const secret = match.at(-1) ?? match[0];
      if (NAMED_PATTERNS.includes(pattern) && isHarmless(match[1] ?? '', secret)) continue;
      const offset = match[0].lastIndexOf(secret);
      found.push([match.index + offset, match.index + offset + secret.length, match.index]);
    }
  }
  found.sort((a, b) => a[0] - b[0]);
  const merged: [number, number, number][] = [];
  for (const [start, end, from] of found) {
    const last = merged.at(-1);
    if (last === undefined || start > last[1]) merged.push([start, end, from]);
    else {
      last[1] = Math.max(last[1], end);
      last[2] = Math.min(last[2], from);
    }
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
