import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  proxyLocalActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { ActionStatus } from '../domain/lifecycle.ts';
import { isEnded } from '../domain/lifecycle.ts';
import type { ActionWorkflowInput, CommandFact, DecisionAnswer } from './contracts/action.contract.ts';
import { ALREADY_ENDED, DECIDE_UPDATE, EXECUTING_SIGNAL, RESULT_SIGNAL } from './contracts/action.contract.ts';
import type { ActionActivities, ActionState } from './contracts/activities.contract.ts';
import type { TakeTurn } from './turns.ts';
import { createTurns } from './turns.ts';

const activities = proxyLocalActivities<ActionActivities>({
  scheduleToCloseTimeout: '5s', // a local activity that keeps failing holds up the workflow task
  startToCloseTimeout: '4s', // one statement that hangs leaves time for one more try
  retry: { initialInterval: '100ms', maximumInterval: '1s' },
});

export const decideUpdate = defineUpdate<DecisionAnswer, [string]>(DECIDE_UPDATE);
export const executingSignal = defineSignal<[CommandFact]>(EXECUTING_SIGNAL);
export const resultSignal = defineSignal<[CommandFact]>(RESULT_SIGNAL);

/** How far along each status is: a state that is read earlier and arrives later never moves the workflow back. */
const PROGRESS: Record<ActionStatus, number> = {
  pending: 0,
  approved: 1,
  executing: 2,
  completed: 3,
  failed: 3,
  rejected: 3,
  expired: 3,
  cancelled: 3,
};

const SHORTEST_WAIT_MS = 200; // the database's clock may be a little behind the worker's
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000; // a database that is back is noticed within a minute

/**
 * Carries one action from pending to its end. It decides what happens next and when to look again; the database is
 * the record and the second guard, so every step adopts the state that the database really holds.
 *
 * pending → approved (by `auto`, or the update `decide`) → executing (signal) → completed | failed (signal `result`);
 * ended at any time by a decision or by the deadline that the last state named.
 */
export async function actionWorkflow(input: ActionWorkflowInput): Promise<ActionStatus> {
  const { actionId } = input;
  const facts: { kind: 'executing' | 'result'; commandId: string }[] = [];
  let state: ActionState = { status: 'pending', deadlineAtMs: input.deadlineAtMs };
  let changes = 0;
  const takeTurn = createTurns();

  const adopt = (next: ActionState): void => {
    if (PROGRESS[next.status] < PROGRESS[state.status]) return;
    state = next;
    changes += 1;
  };

  setHandler(
    decideUpdate,
    async (decisionId) => {
      const answer = await persist(takeTurn, () => activities.applyDecision(decisionId));
      adopt({ status: answer.status, deadlineAtMs: answer.deadlineAtMs });
      return answer;
    },
    {
      validator: (_decisionId: string) => {
        if (!isEnded(state.status)) return;
        throw ApplicationFailure.nonRetryable(`The action has already ended as ${state.status}.`, ALREADY_ENDED);
      },
    },
  );
  setHandler(executingSignal, ({ commandId }) => void facts.push({ kind: 'executing', commandId }));
  setHandler(resultSignal, ({ commandId }) => void facts.push({ kind: 'result', commandId }));

  if (input.isResumed) adopt(await persist(takeTurn, () => activities.enforceDeadline(actionId)));
  if (input.isAutomatic && !isEnded(state.status) && state.status === 'pending') {
    adopt(await persist(takeTurn, () => activities.approveAutomatically(actionId)));
  }
  while (!isEnded(state.status)) {
    const fact = facts.shift();
    if (fact === undefined) {
      const seen = changes;
      const waitMs = Math.max(state.deadlineAtMs - Date.now(), SHORTEST_WAIT_MS);
      const isWoken = await condition(() => facts.length > 0 || changes > seen, waitMs);
      if (!isWoken) adopt(await persist(takeTurn, () => activities.enforceDeadline(actionId)));
      continue;
    }
    const { commandId } = fact;
    const isOvertaken = fact.kind === 'executing' && facts.some((later) => later.commandId === commandId);
    if (isOvertaken) continue; // its result is here already and tells both
    const record = fact.kind === 'executing' ? activities.markExecuting : activities.adoptResult;
    adopt(await persist(takeTurn, () => record({ actionId, commandId })));
  }
  await condition(allHandlersFinished);
  return state.status;
}

/** Tries until the database answers, between tries under a durable timer: an outage ends no action. */
async function persist<T>(takeTurn: TakeTurn, write: () => Promise<T>): Promise<T> {
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
    try {
      return await takeTurn(write);
    } catch {
      await sleep(waitMs);
    }
  }
}
