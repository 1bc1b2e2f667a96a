import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  compareSessions,
  parseEnrollRequest,
  parseHeartbeatRequest,
  parseResult,
  readProtocol,
  readResultCommandId,
} from '../../protocol/messages.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const ZEROS = '00'.repeat(32);
const ORDER_8 = [
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];

const heartbeat = {
  protocol: 1,
  session: { started_at: '2026-01-01T00:00:00.000Z', beat: 1 },
  agent_version: '0.1.0',
  boot_id: 'b',
  uptime_s: 1.5,
  load: 0.2,
  wait_s: 25,
  running: [{ command_id: 'c-1', started_at: null, step: 0, steps: 2 }],
  results: [{ anything: true }],
};

function codesOf(reading: { isValid: boolean; errors?: { path: string; code: string }[] }): string[] {
  return (reading.errors ?? []).map((error) => `${error.path}:${error.code}`);
}

describe('messages', () => {
  test('pass with unknown fields, which are left out', () => {
    const reading = parseHeartbeatRequest({ ...heartbeat, later: 1 });
    expect(reading).toEqual({ isValid: true, value: heartbeat });
  });

  test('tell every known field that is wrong, with its path', () => {
    const reading = parseHeartbeatRequest({
      ...heartbeat,
      session: { started_at: 'yesterday', beat: -1 },
      wait_s: 26,
      running: [{ command_id: '', started_at: null, step: 1.5, steps: 2 }],
      results: 'none',
    });
    expect(codesOf(reading)).toEqual([
      'session.started_at:malformed',
      'session.beat:too_small',
      'wait_s:too_large',
      'running.0.command_id:too_short',
      'running.0.step:not_an_integer',
      'results:not_a_list',
    ]);
    expect(codesOf(parseHeartbeatRequest(null))).toEqual([':not_an_object']);
  });

  test('hold no U+0000, which the database stores nowhere, but in output', () => {
    const reading = parseHeartbeatRequest({ ...heartbeat, agent_version: '1\0', boot_id: '\0' });
    expect(codesOf(reading)).toEqual(['agent_version:malformed', 'boot_id:malformed']);
  });

  const enrolment = (x: string) => ({
    protocol: 1,
    token: 't',
    hostname: 'h',
    public_key: { kty: 'OKP', crv: 'Ed25519', x },
    agent_version: '1',
    os: 'linux',
    playbooks: [],
  });

  test.each([
    ...[ZEROS, `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`, ...ORDER_8], // of low order, in their right spelling
    ...[`${'00'.repeat(31)}80`, `01${'00'.repeat(30)}80`, `ec${'ff'.repeat(31)}`], // the same with the sign bit
    ...[`ed${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(31)}`, `ee${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(31)}`], // y + p
    `f0${'ff'.repeat(30)}7f`, // beyond the field, and of no low order
  ])('refuse the public key %s, for which anybody can sign, or which has another spelling', (hex) => {
    const x = Buffer.from(hex, 'hex').toString('base64url');
    expect(codesOf(parseEnrollRequest(enrolment(x)))).toEqual(['public_key.x:weak_key']);
  });

  test('takes what a key generator makes, and in one spelling only', () => {
    for (let round = 0; round < 50; round++) {
      const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
      expect(codesOf(parseEnrollRequest(enrolment(x)))).toEqual([]);
      const next = ALPHABET[ALPHABET.indexOf(x.at(-1) ?? '') + 1] ?? ''; // the same 32 bytes, as decoders read it
      expect(Buffer.from(x.slice(0, -1) + next, 'base64url')).toEqual(Buffer.from(x, 'base64url'));
      expect(codesOf(parseEnrollRequest(enrolment(x.slice(0, -1) + next)))).toEqual(['public_key.x:weak_key']);
    }
  });

  test('refuse a private key that was sent', () => {
    const reading = parseEnrollRequest({
      protocol: 1,
      token: 't',
      hostname: 'h',
      public_key: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), d: 'A'.repeat(43) },
      agent_version: '1',
      os: 'linux',
      playbooks: [],
    });
    expect(codesOf(reading)).toEqual(['public_key:private_key_sent']);
  });

  test('a malformed result still names its command, and a missing field is told', () => {
    const broken = { command_id: 'c-9', status: 'done' };
    expect(readResultCommandId(broken)).toBe('c-9');
    expect(codesOf(parseResult(broken))).toContain('status:unknown_value');
    expect(codesOf(parseResult(broken))).toContain('stdout:missing');
    expect(readResultCommandId('x')).toBeUndefined();
  });

  test('the claimed protocol is read before the rest', () => {
    expect(readProtocol({ protocol: 7, junk: true })).toBe(7);
    expect(readProtocol({})).toBeUndefined();
  });

  test('sessions are ordered by start, then by beat', () => {
    const at = (started: string, beat: number): { started_at: string; beat: number } => ({ started_at: started, beat });
    const early = '2026-01-01T00:00:00Z';
    const late = '2026-01-01T00:00:00.001Z';
    expect(compareSessions(at(early, 9), at(late, 1))).toBeLessThan(0);
    expect(compareSessions(at(late, 2), at(late, 1))).toBeGreaterThan(0);
    expect(compareSessions(at(late, 2), at(late, 2))).toBe(0);
  });
});
