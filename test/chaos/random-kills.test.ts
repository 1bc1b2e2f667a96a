import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { createDice } from '../support/seeded.ts';
import type { CrashStage } from './crash-stage.ts';
import { openCrashStage } from './crash-stage.ts';
import type { RoundPlan } from './kill-rounds.ts';
import { planAgentKills, planRound, runRound } from './kill-rounds.ts';
import { judgeInTheEnd } from './run-record.ts';

const ROUNDS = 5; // of ten actions
const AGENT_ROUNDS = 5; // of four agents

const seed = Number(process.env['MEDIC_SEED'] ?? randomInt(2 ** 31));
const dice = createDice(seed);
const rounds = Array.from({ length: ROUNDS }, () => planRound(dice));
const agentRounds = Array.from({ length: AGENT_ROUNDS }, () => planAgentKills(dice));

let stage: CrashStage;
beforeAll(async () => {
  stage = await openCrashStage();
}, 120_000);
afterAll(() => stage.stop(), 60_000);

/** What became of the actions of these rounds, judged with all that went before. */
async function play(plans: readonly RoundPlan[]) {
  const before = stage.accepted.length;
  for (const plan of plans) await runRound(stage, plan);
  const asked = stage.accepted.slice(before);
  const { record, breaches } = await judgeInTheEnd(stage.stack, { ...stage, slackMs: 60_000 });
  return { breaches, ended: record.actions.filter(({ id }) => asked.includes(id)) };
}

describe(`kill -9 at random (MEDIC_SEED=${seed})`, () => {
  test('of any process with ten actions in flight, five times: none is lost, none is doubled', async () => {
    const { breaches, ended } = await play(rounds);
    expect(breaches).toEqual([]);
    expect(ended).toHaveLength(50);
  }, 300_000);

  test('of twenty agents in the middle, ten of them with their machine: each action has exactly one end', async () => {
    const kills = agentRounds.flatMap((plan) => plan.kills);
    expect([kills.length, kills.filter(({ bootId }) => bootId !== undefined).length]).toEqual([20, 10]);
    const { breaches, ended } = await play(agentRounds);
    expect(breaches).toEqual([]);
    expect(ended).toHaveLength(20);
    expect(ended.some(({ failure_code: code }) => code === 'interrupted')).toBe(true);
  }, 300_000);
});
