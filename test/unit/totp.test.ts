import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { openSecret, sealSecret } from '../../services/totp/sealed-secret.ts';
import { findTotpStep, makeTotpCode, makeTotpSecret, totpUri } from '../../services/totp/totp-code.ts';

const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'; // "12345678901234567890", RFC 6238, appendix B

describe('one-time codes', () => {
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_234_567_890, '005924'],
    [20_000_000_000, '353130'],
  ])('at %i s are those of RFC 6238', (seconds, code) => {
    expect(makeTotpCode({ secret: RFC_SECRET, nowMs: seconds * 1000 })).toBe(code);
    expect(findTotpStep({ secret: RFC_SECRET, code, nowMs: seconds * 1000 })).toBe(Math.floor(seconds / 30));
  });

  test('are good for one step either way of the clock, and no further', () => {
    const nowMs = 1_234_567_890_000;
    const step = Math.floor(nowMs / 30_000);
    const judged = [-3, -2, -1, 0, 1, 2, 3].map((steps) => {
      const code = makeTotpCode({ secret: RFC_SECRET, nowMs: nowMs + steps * 30_000 });
      return findTotpStep({ secret: RFC_SECRET, code, nowMs });
    });
    expect(judged).toEqual([null, null, step - 1, step, step + 1, null, null]);
  });

  test('are six digits, and may be typed with a space', () => {
    const nowMs = 59_000;
    expect(findTotpStep({ secret: RFC_SECRET, code: ' 287 082 ', nowMs })).toBe(1);
    for (const code of ['', '28708', '94287082', 'abcdef', '२८७०८२', '287082; drop']) {
      expect(findTotpStep({ secret: RFC_SECRET, code, nowMs })).toBeNull();
    }
  });

  test('the address for the app names Medic, the person and the secret', () => {
    const secret = makeTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const uri = new URL(totpUri({ principal: 'bob', secret }));
    expect(uri.protocol).toBe('otpauth:');
    expect(decodeURIComponent(uri.pathname)).toContain('Medic:bob');
    expect(Object.fromEntries(uri.searchParams)).toMatchObject({ issuer: 'Medic', secret, digits: '6', period: '30' });
  });
});

describe('a sealed secret', () => {
  const key = randomBytes(32);

  test('opens with its key for its owner, is never twice the same and does not show what it holds', () => {
    const sealed = sealSecret({ key, owner: 'bob', secret: RFC_SECRET });
    expect(openSecret({ key, owner: 'bob', sealed })).toBe(RFC_SECRET);
    expect(sealSecret({ key, owner: 'bob', secret: RFC_SECRET })).not.toBe(sealed);
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain(RFC_SECRET.slice(0, 8));
  });

  test('does not open for another, under another key, or changed in any byte', () => {
    const sealed = sealSecret({ key, owner: 'bob', secret: RFC_SECRET });
    expect(openSecret({ key, owner: 'cid', sealed })).toBeNull();
    expect(openSecret({ key: randomBytes(32), owner: 'bob', sealed })).toBeNull();
    const bytes = Buffer.from(sealed, 'base64url');
    for (const index of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(openSecret({ key, owner: 'bob', sealed: changed.toString('base64url') })).toBeNull();
    }
    expect(openSecret({ key, owner: 'bob', sealed: '' })).toBeNull();
  });
});
