import { describe, expect, test } from '@jest/globals';
import { verifyChain } from '../../protocol/audit-chain.ts';
import { countOf, STRESS_TIMEOUT_MS } from '../support/stress.ts';
import type { Scene } from '../support/tampered-log.ts';
import { createLog, TAMPERINGS } from '../support/tampered-log.ts';

const EVENTS = countOf({ usual: 200, stress: 10_000 });
const BETWEEN_CHECKPOINTS = 100; // as the control plane signs them; an agent keeps the newest 100 of them
const log = createLog(EVENTS);
const everyHundred = log.places.filter(({ count }) => count > 0 && count % BETWEEN_CHECKPOINTS === 0);
const lastOnly = everyHundred.slice(-1);

test('an untouched log agrees with all its checkpoints, and what its first lines come to is where the rest begins', async () => {
  expect(await verifyChain(log.lines, { checkpoints: everyHundred })).toEqual({ isIntact: true, ...log.places.at(-1) });
  for (const from of everyHundred) {
    const reading = await verifyChain(log.lines.slice(0, from.count));
    expect(reading).toEqual({ isIntact: true, ...from });
    expect(await verifyChain(log.lines.slice(from.count), { from })).toMatchObject({ isIntact: true, count: EVENTS });
  }
});

/** The lines before the fault are untouched: what they come to is known, and they are not read again. */
async function expectFound(kind: string, scene: Scene): Promise<void> {
  const { from, lines, expected } = TAMPERINGS[kind]?.(scene) ?? {
    from: 0,
    lines: [],
    expected: { line: 0, code: '' },
  };
  const { checkpoints } = scene;
  const reading = await verifyChain(lines, { checkpoints, ...(from === 0 ? {} : { from: scene.log.places[from] }) });
  const told = reading.isIntact ? null : { line: from + reading.line, code: reading.code };
  if (told?.line !== expected.line || told.code !== expected.code) {
    expect({ kind, at: scene.at, told }).toEqual({ kind, at: scene.at, told: expected });
  }
}

describe.each(Object.keys(TAMPERINGS))(`a log of ${EVENTS} events, tampered with by %s`, (kind) => {
  test(
    'at each of its places is found, and the first wrong line named',
    async () => {
      for (let at = 0; at < EVENTS; at++) await expectFound(kind, { log, at, checkpoints: everyHundred });
    },
    STRESS_TIMEOUT_MS,
  );

  test(
    'at places all over it is found by a witness that was given one checkpoint, its last',
    async () => {
      const step = countOf({ usual: 4, stress: 50 });
      for (let at = 0; at < EVENTS; at += step) await expectFound(kind, { log, at, checkpoints: lastOnly });
    },
    STRESS_TIMEOUT_MS,
  );
});
