import type { Dice } from './seeded.ts';

/** What a text may be that nobody thought of. All of it is harmless where it is not believed. */
export const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\u202egnirts',
  '\ufeff',
  '👩‍👩‍👧‍👦'.repeat(40),
  'e\u0301'.repeat(300),
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  '../../etc/passwd',
  '..%2f..%2fetc',
  "' or '1'='1",
  '"; select pg_sleep(0); --',
  '%s%n%x',
  '%00',
  '%',
  '$(id)',
  '`id`',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '<!channel> <@U0BOB>',
  '\r\nx-injected: 1',
  'NaN',
  'null',
  '1e999',
  '-0',
  '2026-13-45T99:99:99Z',
  '+275760-09-13T00:00:00.001Z',
  '0001-01-01T00:00:00Z',
  'x'.repeat(5_000),
  '\\'.repeat(2_000),
  '"'.repeat(2_000),
];

const HOSTILE_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, 5e-324, [], {}, [[]], [null], ['x', 1]],
  ...[{ __proto__: null, toString: 1 }, { length: -1 }, { then: 'x' }, { constructor: { name: 'x' } }, { $ne: null }],
];

export function hostileValue(dice: Dice): unknown {
  return dice.oneIn(2) ? dice.pick(HOSTILE_TEXTS) : dice.pick(HOSTILE_VALUES);
}

/** The same, with some of it replaced, left out or added, at any depth. */
export function mutate(dice: Dice, value: unknown): unknown {
  if (dice.oneIn(12)) return hostileValue(dice);
  if (Array.isArray(value))
    return [...value.map((item) => mutate(dice, item)), ...(dice.oneIn(4) ? [hostileValue(dice)] : [])];
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(() => !dice.oneIn(15));
  const added = dice.oneIn(8) ? [[dice.pick(HOSTILE_TEXTS), hostileValue(dice)] as const] : [];
  return Object.fromEntries([...kept.map(([key, item]) => [key, mutate(dice, item)] as const), ...added]);
}

/** A body that reads as JSON, or nearly: broken, poisoned, deep, huge, in bytes that are no text. */
export function hostileBody(dice: Dice, template: unknown): Buffer {
  const json = JSON.stringify(mutate(dice, template)) ?? '';
  const bytes = Buffer.from(json);
  switch (dice.roll(14)) {
    case 0:
      return bytes.subarray(0, dice.roll(bytes.length + 1));
    case 1:
      return Buffer.concat([
        bytes.subarray(0, 5),
        Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
        bytes.subarray(5),
      ]);
    case 2:
      return Buffer.from(json.replace('{', `{"__proto__":{"roles":["admin"]},`));
    case 3:
      return Buffer.from(json.replace('{', `{"constructor":{"prototype":{"roles":["admin"]}},`));
    case 4:
      return Buffer.from(deep(dice, dice.pick([31, 33, 1_000, 30_000])));
    case 5:
      return Buffer.from(JSON.stringify({ x: 'x'.repeat(dice.pick([60_000, 70_000, 1_000_000])) }));
    case 6:
      return Buffer.from(
        dice.pick(['', ' ', 'null', '[]', '"x"', '1', 'true', '{', '{}{}', '\ufeff{}', "{'a':1}", '{"a":01}']),
      );
    case 7:
      return Buffer.from(json.replace('{', `{"a":${'9'.repeat(400)},"b":1e400,"a":-0,`));
    case 8:
      return Buffer.from(
        JSON.stringify(Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`k${String(i)}`, i]))),
      );
    default:
      return bytes;
  }
}

function deep(dice: Dice, levels: number): string {
  const [open, close] = dice.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const);
  return `${open.repeat(levels)}1${close.repeat(levels)}`;
}
