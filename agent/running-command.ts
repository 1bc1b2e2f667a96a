import type { CommandPayload, CommandResult, Running } from '../protocol/messages.ts';
import { buildDryRun, buildInterruption, buildResult } from './build-result.ts';
import type { DiskReserve } from './disk-reserve.ts';
import { execute } from './execute.ts';
import type { Execution } from './execute.ts';
import type { Journal } from './journal.ts';
import type { Plan } from './judge-command.ts';
import type { Log } from './log.ts';
import { killCommand, readStartTicks } from './process-tree.ts';

export interface RunningCommand {
  commandId: string;
  describe(): Running;
  cancel(): void;
  /** Ends it as `interrupted`: the agent itself is told to end. */
  interrupt(): void;
  /** Settled once a process runs, or all is over. */
  started: Promise<void>;
  /** Never rejects; nothing of the command runs any more, or the result says that this is not proven. */
  result: Promise<CommandResult>;
}

export interface RunContext {
  journal: Journal;
  reserve: DiskReserve;
  bootId: string;
  log: Log;
  graceMs?: number;
  /** The control plane's time as ISO 8601. */
  iso(): string;
  onChange(): void;
}

interface Run {
  context: RunContext;
  payload: CommandPayload;
  plan: Plan;
  step: number;
  startedAt: string | null;
  stop: AbortController;
  isInterrupted: boolean;
  announce(): void;
}

/** Runs a command to its end. INVARIANT: its `received` and `intent` are on disk before this is called. */
export function runCommand(
  context: RunContext,
  { payload, plan }: { payload: CommandPayload; plan: Plan },
): RunningCommand {
  const started = Promise.withResolvers<undefined>();
  const run: Run = {
    ...{ context, payload, plan, step: 0, startedAt: null, stop: new AbortController(), isInterrupted: false },
    announce: () => {
      started.resolve(undefined);
    },
  };
  return {
    commandId: payload.command_id,
    describe: () => ({
      command_id: payload.command_id,
      started_at: run.startedAt,
      step: run.step,
      steps: plan.steps.length + plan.verify.length,
    }),
    cancel: () => {
      run.stop.abort();
    },
    interrupt: () => {
      run.isInterrupted = true;
      run.stop.abort();
    },
    started: started.promise,
    result: produceResult(run).finally(run.announce),
  };
}

async function produceResult(run: Run): Promise<CommandResult> {
  const { context, payload, plan } = run;
  if (payload.dry_run) return buildDryRun(payload, plan, context.iso());
  try {
    const execution = await executePlan(run);
    const isInterrupted = run.isInterrupted && execution.status === 'cancelled';
    const status = isInterrupted ? 'interrupted' : execution.status;
    return buildResult({ payload, status, startedAt: run.startedAt, execution, at: context.iso() });
  } catch (error) {
    const { command_id: commandId, attempt } = payload;
    context.log('error', 'a command broke off', { command_id: commandId, error: String(error) });
    const isProven = await killCommand({ commandId, graceMs: 0 });
    return buildInterruption({ commandId, attempt, startedAt: run.startedAt, at: context.iso(), isProven });
  }
}

function executePlan(run: Run): Promise<Execution> {
  const { context, payload, plan } = run;
  return execute({
    commandId: payload.command_id,
    steps: plan.steps,
    verify: plan.verify,
    timeoutMs: Math.min(payload.timeout_s * 1000, plan.playbook.maxTimeoutMs),
    ...(context.graceMs === undefined ? {} : { graceMs: context.graceMs }),
    maskPatterns: plan.maskPatterns,
    cancel: run.stop.signal,
    onStarted: async ({ pid, step }) => {
      run.startedAt ??= context.iso();
      run.step = step;
      await recordStart(run, pid);
      run.announce();
      context.onChange();
    },
  });
}

async function recordStart({ context, payload, step }: Run, pid: number | null): Promise<void> {
  const start_ticks = pid === null ? null : ((await readStartTicks(pid)) ?? null);
  const place = { pid, start_ticks, boot_id: context.bootId, step, at: context.iso() };
  try {
    await context.journal.append([{ kind: 'started', command_id: payload.command_id, ...place }]);
  } catch (error) {
    // The intent is on disk: whatever happens now, it is not run a second time.
    context.log('error', 'the journal cannot be written: a start is not recorded', { error: String(error) });
  }
}
