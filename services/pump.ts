import { listRecordedDecisions } from '../db/repositories/decision.repository.ts';
import { listUnadoptedResults } from '../db/repositories/result.repository.ts';
import {
  listActionsWithoutWorkflow,
  listOverdueActions,
  listUnheardCommands,
} from '../db/repositories/workflow.repository.ts';
import { deliverFact } from './actions/deliver-fact.ts';
import { showUnknown } from './actions/show-unknown.ts';
import { startWorkflow } from './actions/start-workflow.ts';
import { submitDecision } from './actions/submit-decision.ts';
import type { Context } from './context.ts';
import { climbLadders } from './escalation/climb-ladders.ts';
import { goRound } from './go-round.ts';
import { endHalts } from './halts/end-halts.ts';
import { showHalts } from './halts/show-halts.ts';
import { endPauses } from './servers/end-pauses.ts';

const PERIOD_MS = 2_000;
const GRACE_MS = 3_000; // what is younger is on its way by itself
const OVERDUE_S = 120; // a workflow acts within seconds of its deadline: after this long it is gone
const BATCH = 50;

export interface Pump {
  /** One round, for tests and for whoever does not want to wait. */
  runOnce(): Promise<void>;
  stop(): Promise<void>;
}

type Step = (ctx: Context) => Promise<void>;

/**
 * Each goes round by itself: on a ladder Slack is asked, and a halt or an outage can be news to ten thousand cards, of
 * which each takes a transaction. None may hold up anything else.
 */
const ROUNDS: readonly (readonly Step[])[] = [
  [startMissing, submitRecorded, deliverFacts, resumeLost, endPauses, endHalts],
  [showHalts],
  [showUnknown],
  [climbLadders],
];

/**
 * Brings again what is recorded and not yet taken over by a workflow: requests, decisions, results; climbs the ladders
 * of what waits for a decision; has cards say what is unknown; and ends timed pauses and halts. Everything it does may
 * be done twice and by several processes at once.
 */
export function startPump(ctx: Context, options: { periodMs?: number } = {}): Pump {
  const { periodMs = PERIOD_MS } = options;
  const stops = ROUNDS.map((steps) => goRound(() => runRound(ctx, steps), periodMs));
  return {
    runOnce: async () => {
      await Promise.all(ROUNDS.map((steps) => runRound(ctx, steps)));
    },
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

async function runRound(ctx: Context, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    try {
      await step(ctx);
    } catch (error) {
      ctx.log.warn({ err: error, step: step.name }, 'the pump could not finish a step; it tries again');
    }
  }
}

async function startMissing(ctx: Context): Promise<void> {
  for (const { id } of await listActionsWithoutWorkflow(ctx.database, BATCH)) {
    if (!(await startWorkflow(ctx, id))) return;
  }
}

async function submitRecorded(ctx: Context): Promise<void> {
  const createdBefore = new Date(Date.now() - GRACE_MS);
  for (const decision of await listRecordedDecisions(ctx.database, { createdBefore, limit: BATCH })) {
    const answer = await submitDecision(ctx, { actionId: decision.action_id, decisionId: decision.id });
    if (answer === null) return;
  }
}

async function deliverFacts(ctx: Context): Promise<void> {
  const receivedBefore = new Date(Date.now() - GRACE_MS);
  for (const result of await listUnadoptedResults(ctx.database, { receivedBefore, limit: BATCH })) {
    const { action_id: actionId, command_id: commandId } = result;
    if (actionId !== null) await deliverFact(ctx, { kind: 'result', actionId, commandId });
  }
  for (const command of await listUnheardCommands(ctx.database, BATCH)) {
    await deliverFact(ctx, { kind: 'executing', actionId: command.action_id, commandId: command.id });
  }
}

/** Actions whose workflow should have ended them long ago: it was terminated, or lost with Temporal's store. */
async function resumeLost(ctx: Context): Promise<void> {
  for (const id of await listOverdueActions(ctx.database, { overdueS: OVERDUE_S, limit: BATCH })) {
    if (!(await startWorkflow(ctx, id))) return;
  }
}
