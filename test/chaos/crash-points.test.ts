import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DURABLE_STEPS } from '../../domain/durable-step.ts';
import { killAtEachPoint } from './crash-walks.ts';
import type { CrashStage } from './crash-stage.ts';
import { both, openCrashStage } from './crash-stage.ts';
import { judgeInTheEnd } from './run-record.ts';

const POINTS = DURABLE_STEPS.flatMap(both);

let stage: CrashStage;
beforeAll(async () => {
  stage = await openCrashStage();
  await killAtEachPoint(stage);
}, 1_200_000);
afterAll(() => stage.stop(), 60_000);

describe('kill -9 before and after each durable step', () => {
  test('is tried at every one of them', () => {
    expect(new Set([...stage.killed.keys(), ...stage.missed.keys()])).toEqual(new Set(POINTS));
  });

  test.each(POINTS)('%s', (point) => {
    expect(stage.missed.get(point)).toBeUndefined();
    expect(stage.killed.get(point)).toBeDefined();
  });

  test('loses nothing, runs nothing twice, and leaves nothing open', async () => {
    const { breaches } = await judgeInTheEnd(stage.stack, { ...stage, slackMs: 60_000 });
    expect(breaches).toEqual([]);
  }, 300_000);
});
