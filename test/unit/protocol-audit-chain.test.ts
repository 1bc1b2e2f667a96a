import { describe, expect, test } from '@jest/globals';
import { CHAIN_START, hashEvent, toCanonicalJson, verifyChain } from '../../protocol/audit-chain.ts';

function makeLog(count: number): Record<string, unknown>[] {
  const events: Record<string, unknown>[] = [];
  let prev = CHAIN_START;
  for (let seq = 1; seq <= count; seq++) {
    const event = { seq, at: '2026-01-01T00:00:00.000Z', actor: 'ana', event: 'action.requested', prev };
    prev = hashEvent(event);
    events.push({ ...event, hash: prev });
  }
  return events;
}
const toLines = (events: Record<string, unknown>[]): string[] => events.map((event) => JSON.stringify(event));

describe('an audit log', () => {
  test('that nobody touched is intact, up to its checkpoint and beyond', async () => {
    const log = makeLog(3);
    const head = String(log[1]?.['hash']);
    const reading = await verifyChain(toLines(log), { checkpoints: [{ count: 2, head }] });
    expect(reading).toEqual({ isIntact: true, count: 3, head: log[2]?.['hash'] });
    expect(await verifyChain([])).toEqual({ isIntact: true, count: 0, head: CHAIN_START });
  });

  test('tells the line and the kind of each fault', async () => {
    const changed = makeLog(3);
    changed[1] = { ...changed[1], actor: 'eve' };
    expect(await verifyChain(toLines(changed))).toMatchObject({ isIntact: false, line: 2, code: 'changed' });

    const [first, , third] = makeLog(3);
    expect(await verifyChain(toLines([first ?? {}, third ?? {}]))).toMatchObject({ line: 2, code: 'gap' });

    const rehashed = makeLog(3);
    const forged = { ...rehashed[0], actor: 'eve' };
    rehashed[0] = { ...forged, hash: hashEvent(forged) };
    expect(await verifyChain(toLines(rehashed))).toMatchObject({ line: 2, code: 'broken_link' });

    expect(await verifyChain(['nonsense'])).toMatchObject({ line: 1, code: 'not_json' });
  });

  test('cut off or rewritten behind a checkpoint is told', async () => {
    const log = makeLog(3);
    const checkpoints = [{ count: 3, head: String(log[2]?.['hash']) }];
    expect(await verifyChain(toLines(log.slice(0, 2)), { checkpoints })).toMatchObject({
      code: 'shorter_than_checkpoint',
    });
    const other = { count: 2, head: CHAIN_START };
    expect(await verifyChain(toLines(log), { checkpoints: [other] })).toMatchObject({
      code: 'differs_from_checkpoint',
    });
  });

  test('canonical JSON sorts names and writes numbers as RFC 8785 asks', () => {
    expect(toCanonicalJson({ b: 1e21, a: 'é', A: [1.0] })).toBe('{"A":[1],"a":"é","b":1e+21}');
  });
});
