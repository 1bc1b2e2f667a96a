import { describe, expect, test } from '@jest/globals';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BROKEN_ENDS } from '../checker/broken-ends.ts';
import { BROKEN_STARTS } from '../checker/broken-starts.ts';
import { BROKEN_STOPS } from '../checker/broken-stops.ts';
import { canonicalize } from '../checker/canonical-json.ts';
import { checkRun } from '../checker/check-run.ts';
import { at, makeGoodRun, onAction, seal } from '../checker/hand-made-run.ts';
import { INVARIANTS } from '../checker/run.ts';
import { addLate, addReplay, addRetry, eventOf } from '../checker/spoil.ts';
import { openCheckpoint } from '../checker/witness-file.ts';

const FOLDER = join(import.meta.dirname, '..', 'checker');

const BREAKS = [...BROKEN_STARTS, ...BROKEN_STOPS, ...BROKEN_ENDS];

describe('the checker', () => {
  test('finds nothing in a run without a fault', () => {
    expect(checkRun(seal(makeGoodRun()))).toEqual([]);
  });

  test('has a broken run for each of its invariants', () => {
    expect([...new Set(BREAKS.map(([invariant]) => invariant))].toSorted()).toEqual([...INVARIANTS].toSorted());
  });

  test.each(BREAKS)('finds %s broken by %s, and nothing else', (invariant, _what, spoil) => {
    const made = makeGoodRun();
    const evidence = spoil(made);
    const found = checkRun({ ...seal(made), ...evidence });
    expect([...new Set(found.map((violation) => violation.invariant))]).toEqual([invariant]);
  });

  test('takes a torn last record for a crash', () => {
    const { journals, ...rest } = seal(makeGoodRun());
    const torn = journals.map(({ name, lines }) => ({ name, lines: [...lines, '{"sum":"00'] }));
    expect(checkRun({ ...rest, journals: torn })).toEqual([]);
  });

  test('takes a click that came too late for kept where its refusal is told', () => {
    const made = makeGoodRun();
    const data = { kind: 'approve', code: 'already_ended', decision_id: 'd8' };
    addLate(made, onAction('a3', { s: 14, actor: 'bob', event: 'decision.refused', data }));
    made.clicks.push({ action_id: 'a3', kind: 'approve', who: 'bob', at: at(11), decision_id: 'd8' });
    expect(checkRun(seal(made))).toEqual([]);
  });

  test('takes a second attempt after one that failed', () => {
    const made = makeGoodRun();
    addRetry(made);
    expect(checkRun(seal(made))).toEqual([]);
  });

  test('takes a replay of what was given up on, and what began before its agent heard of a halt', () => {
    const made = makeGoodRun();
    addReplay(made, { old: 'a5', id: 'a6' });
    const told = { isHalted: false, commands: 1 };
    const beats = [
      { agent: 'web-1', isHalted: false, begun: [], told },
      { agent: 'web-1', isHalted: false, begun: ['c2'], told: { isHalted: true, commands: 0 } },
      { agent: 'web-1', isHalted: true, begun: ['c2'], told: null },
    ];
    expect(checkRun({ ...seal(made), beats })).toEqual([]);
  });

  test('takes one admin past the rule who broke the glass', () => {
    const made = makeGoodRun();
    eventOf(made, 'action.requested', 'a1').data['approvals_required'] = 2;
    const approved = eventOf(made, 'action.approved', 'a1');
    made.events.splice(made.events.indexOf(approved) + 1, 0, { ...approved, event: 'action.break_glass' });
    expect(checkRun(seal(made))).toEqual([]);
  });

  test('writes canonical JSON as RFC 8785 does', () => {
    const value = {
      '\u20ac': 'Euro',
      '\r': 'CR',
      '\ufb33': 'Dalet',
      1: 'One',
      '\ud83d\ude00': 'Smiley',
      '\u0080': 1e21,
    };
    const expected = '{"\\r":"CR","1":"One","\u0080":1e+21,"\u20ac":"Euro","\ud83d\ude00":"Smiley","\ufb33":"Dalet"}';
    expect(canonicalize(value)).toBe(expected);
  });

  test('reads a checkpoint only where one of the keys has signed it', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'EdDSA', typ: 'medic-checkpoint' })}.${part({ count: 3, head: 'sha256:x' })}`;
    const jws = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
    expect(openCheckpoint(jws, [publicKey.export({ format: 'jwk' })])).toEqual({ count: 3, head: 'sha256:x' });
    const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    expect(() => openCheckpoint(jws, [other])).toThrow('none of these keys');
  });

  test('shares no code with Medic: it imports itself and Node, and nothing else', () => {
    const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(10);
    const imports = files.flatMap((file) =>
      [...readFileSync(join(FOLDER, file), 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g)].map(([, to = '']) => ({
        file,
        to,
      })),
    );
    const foreign = imports.filter(({ file, to }) => {
      if (to.startsWith('node:')) return false;
      return !join(FOLDER, file, '..', to).startsWith(`${FOLDER}/`);
    });
    expect(foreign).toEqual([]);
  });
});
