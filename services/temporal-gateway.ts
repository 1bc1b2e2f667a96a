import type { Client, Connection } from '@temporalio/client';
import {
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  isGrpcDeadlineError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { DurableStep } from '../domain/durable-step.ts';
import { durably } from '../domain/durable-step.ts';
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

interface Link {
  client: Client;
  taskQueue: string;
  /** Makes a call that Temporal keeps, with our deadline. */
  keep<T>(step: DurableStep, call: () => Promise<T>): Promise<T>;
}

export function createTemporalGateway(input: {
  client: Client;
  connection: Pick<Connection, 'withDeadline'>;
  namespace: string;
  taskQueue?: string;
}): TemporalGateway {
  const { client, namespace, taskQueue = TASK_QUEUE } = input;
  const within = <T>(call: () => Promise<T>): Promise<T> => input.connection.withDeadline(Date.now() + CALL_MS, call);
  const link: Link = { client, taskQueue, keep: (step, call) => durably(step, () => within(call)) };
  return {
    startAction: (args) => startAction(link, args),
    decide: (decision) => decide(link, decision),
    signalFact: (fact) => signalFact(link, fact),
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

async function startAction({ client, taskQueue, keep }: Link, args: ActionWorkflowInput): Promise<'started' | 'away'> {
  try {
    const workflowId = actionWorkflowId(args.actionId);
    await keep('workflow.start', () =>
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
}

async function decide(
  { client, keep }: Link,
  { actionId, decisionId }: Parameters<TemporalGateway['decide']>[0],
): Promise<DecideAnswer> {
  try {
    const handle = client.workflow.getHandle(actionWorkflowId(actionId));
    const options = { args: [decisionId] as [string], updateId: decisionId };
    const answer = await keep('workflow.decide', () =>
      handle.executeUpdate<DecisionAnswer, [string]>(DECIDE_UPDATE, options),
    );
    return { kind: 'answered', answer };
  } catch (error) {
    return readDecideFailure(error);
  }
}

async function signalFact(
  { client, keep }: Link,
  { kind, actionId, commandId }: Parameters<TemporalGateway['signalFact']>[0],
): Promise<Delivery> {
  try {
    const handle = client.workflow.getHandle(actionWorkflowId(actionId));
    const signal = kind === 'executing' ? EXECUTING_SIGNAL : RESULT_SIGNAL;
    await keep('workflow.signal', () => handle.signal(signal, { commandId }));
    return 'delivered';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'missing';
    return awayOrThrow(error);
  }
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
