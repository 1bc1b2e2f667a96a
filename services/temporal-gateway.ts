import type { Client, Connection } from '@temporalio/client';
import {
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  isGrpcDeadlineError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ActionWorkflowInput, DecisionAnswer } from '../workflows/contracts/action.contract.ts';
import {
  ACTION_WORKFLOW,
  DECIDE_UPDATE,
  EXECUTING_SIGNAL,
  RESULT_SIGNAL,
  TASK_QUEUE,
  actionWorkflowId,
} from '../workflows/contracts/action.contract.ts';

const CALL_MS = 1_500; // a click is answered within three seconds, also when Temporal is away

export type DecideAnswer =
  | { kind: 'answered'; answer: DecisionAnswer }
  /** The workflow has ended; the row says how. */
  | { kind: 'ended' }
  /** No such workflow: not started yet, or lost with Temporal's store. */
  | { kind: 'missing' }
  /** Temporal or every worker is away: the pump submits it again. */
  | { kind: 'away' };

export type Delivery = 'delivered' | 'missing' | 'away';

/**
 * All that Medic says to Temporal. Every call may be repeated: ids make the second one a no-op. None throws where
 * Temporal is away: that is an answer, because a pump brings everything again.
 */
export interface TemporalGateway {
  startAction(input: ActionWorkflowInput): Promise<'started' | 'away'>;
  decide(input: { actionId: string; decisionId: string }): Promise<DecideAnswer>;
  signalFact(input: { kind: 'executing' | 'result'; actionId: string; commandId: string }): Promise<Delivery>;
  isReachable(): Promise<boolean>;
}

export function createTemporalGateway(input: {
  client: Client;
  connection: Pick<Connection, 'withDeadline'>;
  namespace: string;
  taskQueue?: string;
}): TemporalGateway {
  const { client, namespace } = input;
  const taskQueue = input.taskQueue ?? TASK_QUEUE;
  const within = <T>(call: () => Promise<T>): Promise<T> => input.connection.withDeadline(Date.now() + CALL_MS, call);
  return {
    startAction: async (args) => {
      try {
        const workflowId = actionWorkflowId(args.actionId);
        await within(() =>
          client.workflow.start(ACTION_WORKFLOW, {
            workflowId,
            taskQueue,
            args: [args],
            // one that an operator terminated may be carried on; one that ended by itself may not
            workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
          }),
        );
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'started';
        return awayOrThrow(error);
      }
    },
    decide: async ({ actionId, decisionId }) => {
      try {
        const handle = client.workflow.getHandle(actionWorkflowId(actionId));
        const options = { args: [decisionId] as [string], updateId: decisionId };
        const answer = await within(() => handle.executeUpdate<DecisionAnswer, [string]>(DECIDE_UPDATE, options));
        return { kind: 'answered', answer };
      } catch (error) {
        return readDecideFailure(error);
      }
    },
    signalFact: async ({ kind, actionId, commandId }) => {
      try {
        const handle = client.workflow.getHandle(actionWorkflowId(actionId));
        await within(() => handle.signal(kind === 'executing' ? EXECUTING_SIGNAL : RESULT_SIGNAL, { commandId }));
        return 'delivered';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return 'missing';
        return awayOrThrow(error);
      }
    },
    isReachable: async () => {
      try {
        await within(() => client.workflowService.describeNamespace({ namespace }));
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** Also the update that came in the moment of the end: "workflow update was aborted by closing workflow". */
const OVER = /already completed|closing workflow/i;

function readDecideFailure(error: unknown): DecideAnswer {
  if (error instanceof WorkflowUpdateFailedError) {
    if (error.cause instanceof ApplicationFailure) return { kind: 'ended' };
    return { kind: 'away' };
  }
  if (error instanceof WorkflowNotFoundError) {
    return OVER.test(error.message) ? { kind: 'ended' } : { kind: 'missing' };
  }
  awayOrThrow(error);
  return { kind: 'away' };
}

/** A deadline that passed, a connection refused, a server that is shutting down: all of them are "away". */
function awayOrThrow(error: unknown): 'away' {
  const isTransport = error instanceof ServiceError || isGrpcDeadlineError(error);
  const isNamed = error instanceof Error && /Timeout|Unavailable|Update.*(Timeout|Cancelled)/i.test(error.name);
  if (isTransport || isNamed) return 'away';
  throw error;
}
