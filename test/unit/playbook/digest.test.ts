import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../playbook/digest.ts';
import { parsePlaybook } from '../../../playbook/parse.ts';

const TEXT = `
# A comment, another order, other quotes: none of it counts.
title: "P \\u00fc"
name: 'p'
risk: low
timeout: 60s
params:
  count: { type: integer, default: 5, max: 10 }
steps:
  - run: [/bin/echo, '--count=\${count}', "a \\"b\\""]
verify: []
`;
/** Written by hand after RFC 8785: keys sorted, no space, only what has to be escaped is. */
const CANONICAL =
  '{"name":"p","params":{"count":{"default":5,"max":10,"type":"integer"}},"risk":"low",' +
  '"steps":[{"run":["/bin/echo","--count=${count}","a \\"b\\""]}],"timeout":"60s","title":"P ü","verify":[]}';

const digest = (text: string): string | undefined => parsePlaybook({ file: 'p.yaml', text }).playbook?.digest;

describe('the digest of a playbook', () => {
  test('is the SHA-256 of the canonical JSON of the document as written', () => {
    expect(digest(TEXT)).toBe(`sha256:${createHash('sha256').update(CANONICAL, 'utf8').digest('hex')}`);
  });

  test('does not fill in defaults, and changes with every value', () => {
    const digests = [
      TEXT,
      TEXT.replace('verify: []\n', ''),
      `${TEXT}max_timeout: 60s\n`,
      `${TEXT}idempotent: false\n`,
      TEXT.replace('default: 5', 'default: 6'),
      TEXT.replace('60s', '1m'),
    ].map(digest);
    expect(digests).not.toContain(undefined);
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('does not depend on comments, line ends, indentation or a byte order mark', () => {
    const rewritten = [
      TEXT.replace('#', '# more'),
      TEXT.replaceAll('\n', '\r\n'),
      TEXT.replace('  - run', '- run'),
      `\ufeff${TEXT}`,
    ].map(digest);
    expect(new Set(rewritten)).toEqual(new Set([digest(TEXT)]));
  });

  test('sorts keys by UTF-16 units and writes numbers as RFC 8785 says', () => {
    const canonical = '{"":-7,"a":[true,null],"€":"\\n","😀":10,"\ufb33":0}';
    const value = { '\ufb33': -0, '😀': 1e1, '€': '\n', a: [true, null], '': -7 };
    expect(digestOf(value)).toBe(`sha256:${createHash('sha256').update(canonical, 'utf8').digest('hex')}`);
  });

  test('is of JSON only', () => {
    expect(() => digestOf(undefined)).toThrow(TypeError);
    expect(() => digestOf({ a: NaN })).toThrow();
  });
});
