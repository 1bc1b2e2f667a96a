import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256 over the RFC 8785 form of a JSON value, as `sha256:` and hex. Throws on what is no JSON. */
export function digestOf(document: unknown): string {
  const text = canonicalize(document);
  if (text === undefined) throw new TypeError('A digest needs a JSON value.');
  return `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
}
