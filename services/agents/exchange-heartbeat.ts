import { WAKE_CHANNEL } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import type { HeartbeatResponse } from '../../protocol/messages.ts';
import { parseHeartbeatRequest } from '../../protocol/messages.ts';
import { deliverFact } from '../actions/deliver-fact.ts';
import type { Context } from '../context.ts';
import { hearHeartbeat } from './hear-heartbeat.ts';
import type { Findings } from './look-for-work.ts';
import { lookForWork } from './look-for-work.ts';
import { checkProtocol, readOrThrow } from './read-message.ts';

export interface HeartbeatInput {
  serverId: string;
  body: unknown;
  /** Ends the hold at once: the agent has gone, or this process is stopping. */
  signal: AbortSignal;
}

const CANCEL_PACE_MS = 500; // an agent that is still killing calls in again at once: not faster than this

/**
 * One heartbeat: takes over what the agent says (committed before it is acknowledged), then holds the request up to
 * `wait_s` until there is something to do. Throws ConflictError `stale_heartbeat` with `last`, and then nothing has
 * changed; InvalidInputError `unsupported_protocol`, `invalid_message`.
 */
export async function exchangeHeartbeat(ctx: Context, input: HeartbeatInput): Promise<HeartbeatResponse> {
  checkProtocol(input.body);
  const request = readOrThrow(parseHeartbeatRequest(input.body), 'heartbeat');
  const { serverId } = input;
  const heard = await transact(ctx.database, (tx) => hearHeartbeat(ctx, tx, { serverId, request }));
  ctx.wakes.tell(WAKE_CHANNEL, serverId); // an older request that is still held here ends now
  for (const fact of heard.facts) void deliverFact(ctx, fact); // never throws; the pump is behind it
  const isIdle = (findings: Findings): boolean =>
    findings.commands.length === 0 && findings.cancel.length === 0 && !findings.isSuperseded;
  const deadlineMs = Date.now() + (heard.acked.length > 0 ? 0 : request.wait_s * 1000);
  const hint = listenForHints(ctx, serverId);
  try {
    for (;;) {
      const hinted = hint.next();
      const findings = await transact(ctx.database, (tx) => lookForWork(ctx, tx, { serverId, request }));
      const leftMs = deadlineMs - Date.now();
      const isOnlyCancel = findings.cancel.length > 0 && findings.commands.length === 0 && leftMs > 0;
      if (isOnlyCancel) await waitFor(new Promise(() => undefined), { ms: CANCEL_PACE_MS, signal: input.signal });
      if (!isIdle(findings) || leftMs <= 0 || input.signal.aborted) return answer(heard.acked, findings);
      await waitFor(hinted, { ms: Math.min(leftMs, findings.lookAgainMs), signal: input.signal });
    }
  } finally {
    hint.stop();
  }
}

function answer(acked: string[], findings: Findings): HeartbeatResponse {
  return {
    server_time: new Date().toISOString(),
    paused: findings.isPaused,
    halted: false,
    acked,
    commands: findings.commands,
    cancel: findings.cancel,
    heartbeat_interval_s: findings.intervalS,
  };
}

/** `next()` before a look, so that a hint given during it is not missed. */
function listenForHints(ctx: Context, serverId: string): { next(): Promise<void>; stop(): void } {
  let tell: () => void = () => undefined;
  const stop = ctx.wakes.listen(WAKE_CHANNEL, (payload) => {
    if (payload === null || payload === serverId) tell();
  });
  return {
    next: () =>
      new Promise((resolve) => {
        tell = resolve;
      }),
    stop,
  };
}

async function waitFor(hinted: Promise<void>, { ms, signal }: { ms: number; signal: AbortSignal }): Promise<void> {
  const end = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', done, { signal: end.signal });
    end.signal.addEventListener('abort', done, { once: true });
  });
  await Promise.race([hinted, stopped]);
  end.abort();
}
