import { describe, expect, test } from '@jest/globals';
import { createCapture } from '../../agent/capture.ts';
import { maskText } from '../../agent/mask.ts';
import { createOrdinaryLine, createTalkingLine } from '../../bench/ordinary-lines.ts';
import { createDice } from '../support/seeded.ts';
import { createSecrets, SECRET_KINDS } from '../support/synthetic-secrets.ts';
import type { SyntheticSecret } from '../support/synthetic-secrets.ts';

const SECRETS = 500;
const dice = createDice(20_260_101);
const secrets = createSecrets(dice, SECRETS);

/** What of these bytes would be sent, written in these pieces. */
function capture(bytes: Buffer, cuts: readonly number[]): string {
  const captured = createCapture();
  const ends = [...cuts, bytes.length];
  ends.forEach((end, i) => {
    captured.write(bytes.subarray(ends[i - 1] ?? 0, end));
  });
  return captured.finish().text;
}

const print = ({ line }: SyntheticSecret): Buffer => Buffer.from(`before é\n${line}\nafter\n`);

/** Half of it is as good as all of it to who guesses the rest. */
const leaks = (text: string, { secret }: SyntheticSecret): boolean =>
  text.includes(secret.slice(0, secret.length / 2)) || text.includes(secret.slice(secret.length / 2));

describe.each(Object.keys(SECRET_KINDS))(`of ${SECRETS} synthetic secrets, those of kind %s`, (kind) => {
  const ofKind = secrets.filter((one) => one.kind === kind);

  test('do not leave the server in one piece, and what stands around them does', () => {
    for (const one of ofKind) {
      const text = capture(print(one), []);
      expect({ line: one.line, text, leaks: leaks(text, one) }).toMatchObject({ leaks: false });
      expect(text).toMatch(/^before é\n[^]*\[masked\][^]*\nafter\n$/);
    }
  });

  test('do not leave it wherever their chunks are cut', () => {
    for (const one of ofKind) {
      const bytes = print(one);
      for (let cut = 1; cut < bytes.length; cut += 1 + Math.floor(bytes.length / 50)) {
        expect(leaks(capture(bytes, [cut]), one)).toBe(false);
      }
      const everyByte = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
      expect(leaks(capture(bytes, everyByte), one)).toBe(false);
    }
  });

  test('do not leave it across the places where a line without an end is passed on in parts', () => {
    const [one] = ofKind;
    if (one === undefined) throw new Error('there is none');
    for (const place of [60 * 1024, 60 * 1024 + 1, 64 * 1024]) {
      for (let before = 0; before <= one.line.length; before += 1 + Math.floor(one.line.length / 8)) {
        const bytes = Buffer.from(`${'a '.repeat(place).slice(0, place - before)} ${one.line} ${'b '.repeat(9_000)}`);
        const cuts = Array.from({ length: Math.floor(bytes.length / 4096) }, (_, i) => (i + 1) * 4096);
        expect({ place, before, leaks: leaks(capture(bytes, cuts), one) }).toMatchObject({ leaks: false });
      }
    }
  });
});

describe('what is no secret', () => {
  const LINES = 10_000;

  test.each([
    ['ordinary lines', createOrdinaryLine, 0.5],
    ['lines that all speak of secrets', createTalkingLine, 30], // a word after a colon may well be a password,
  ])('is masked in few of %s', (what, create, mostPercent) => {
    const lines = createDice(1);
    const made = Array.from({ length: LINES }, () => create(lines));
    const percent = (100 * made.filter((line) => maskText(line) !== line).length) / LINES;
    process.stderr.write(`masking: ${percent.toFixed(2)} % false hits in ${LINES} ${what}\n`);
    expect(percent).toBeLessThanOrEqual(mostPercent);
  });

  test.each([
    ['tokens: 12345678', 'a number that is too long for a count'],
    ['password: 1234567', 'a number under a name that counts nothing'],
    ['password_file: hunter2', 'no path where a path belongs'],
    ['password_file=/run/x?key=hunter2', 'more than a path'],
    ['token_count: 12abcdef', 'a count that goes on'],
    ['secret: nonesuch', 'a word that begins like none'],
    ['tokens=1:password=hunter2', 'one behind another'],
    ['password="no way"', 'a word that begins like no'],
    [`password=${'hunter2'.repeat(60)}`, 'a long one'],
  ])('does not let %s through: %s', (line) => {
    const masked = maskText(line);
    expect(masked).toContain('[masked]');
    expect(masked).not.toMatch(/hunter2|\d{7}|abcdef|such|way/);
  });

  test("is not spared where an owner's own pattern names it", () => {
    expect(maskText('tokens: 42', [/(tokens): (\d+)/g])).toBe('tokens: [masked]');
  });
});
