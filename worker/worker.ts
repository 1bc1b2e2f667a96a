import { DefaultLogger, Worker, bundleWorkflowCode } from '@temporalio/worker';
import type { NativeConnection, WorkflowBundle } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { createActivities } from '../activities/index.ts';
import type { Database } from '../db/orm.ts';

export interface WorkerInput {
  database: Database;
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  workflowBundle?: WorkflowBundle | { codePath: string };
}

export interface RunningWorker {
  /** Resolves when the worker has ended, rejects when it died. */
  ended: Promise<void>;
  /** Drains what runs; resolves when it has ended. */
  stop(): Promise<void>;
}

/** Joins workflows and activities. The bundle takes a second to build, so a caller may bring one it keeps. */
export async function startWorker(input: WorkerInput): Promise<RunningWorker> {
  const worker = await Worker.create({
    connection: input.connection,
    namespace: input.namespace,
    taskQueue: input.taskQueue,
    workflowBundle: input.workflowBundle ?? (await bundleWorkflows()),
    activities: createActivities({ database: input.database }),
    stickyQueueScheduleToStartTimeout: '2s', // a worker that was killed is given up on after this, not after ten
    shutdownGraceTime: '5s', // the process has ten seconds in all to end
    shutdownForceTime: '8s',
  });
  const ended = worker.run();
  return {
    ended,
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/** The workflows as one file of JavaScript, with nothing in it but Temporal's and our own deterministic code. */
export function bundleWorkflows(): Promise<WorkflowBundle> {
  const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
  return bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
}
