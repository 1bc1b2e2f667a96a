import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { INVARIANTS } from '../checker/run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs/guarantees.md'), 'utf8');

describe('the list of guarantees', () => {
  test('names only functions, constraints and constants that are in their files', () => {
    const named = [...page.matchAll(/`(\w+)`(?: and `(\w+)`)? \(`([\w/.-]+)`\)/g)];
    expect(named.length).toBeGreaterThan(15);
    const missing = named.flatMap(([, first = '', second = first, file = '']) => {
      const source = readFileSync(join(ROOT, file), 'utf8');
      return [first, second]
        .filter((name) => !new RegExp(`\\b${name}\\b`).test(source))
        .map((name) => `${name} in ${file}`);
    });
    expect(missing).toEqual([]);
  });

  test('names each invariant of the checker, and no other', () => {
    const named = [...page.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name = '']) => name);
    expect(INVARIANTS.filter((name) => !named.includes(name))).toEqual([]);
    const shown = [...page.matchAll(/invariants? ((?:`[a-z_]+`(?:, )?)+)/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name),
    );
    expect(shown.filter((name) => !(INVARIANTS as readonly string[]).includes(name))).toEqual([]);
  });
});
