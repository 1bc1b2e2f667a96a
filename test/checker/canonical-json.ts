import { createHash } from 'node:crypto';

/** RFC 8785, from the RFC: no spaces, members sorted by UTF-16 code units, numbers and texts as ECMAScript writes them. */
export function canonicalize(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalize).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = value as Record<string, unknown>;
  const names = Object.keys(members).sort(); // sort() compares code units, as the RFC does
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalize(members[name])}`).join(',')}}`;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
