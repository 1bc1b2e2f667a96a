import { WAKE_CHANNEL } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import { findNewestCheckpoint } from '../../db/repositories/checkpoint.repository.ts';
import { coversServer } from '../../domain/halt.ts';
import { readCheckpointKid } from '../../protocol/checkpoint.ts';
import type { HeartbeatResponse } from '../../protocol/messages.ts';
import { parseHeartbeatRequest } from '../../protocol/messages.ts';
import { deliverFact } from '../actions/deliver-fact.ts';
import type { Context } from '../context.ts';
import { readStandingTogether } from '../halts/read-halts.ts';
import { readTrustedKeys } from '../keys/command-keys.ts';
import { glanceForWork } from './glance-for-work.ts';
import type { Heard, Speaker } from './hear-heartbeat.ts';
import { hearHeartbeat } from './hear-heartbeat.ts';
import { heartbeatTurns } from './heartbeat-turns.ts';
import type { Findings } from './look-for-work.ts';
import { lookForWork } from './look-for-work.ts';
import { checkProtocol, readOrThrow } from './read-message.ts';
import type { Hint } from './wait-for-hint.ts';
import { listenForHints, waitFor } from './wait-for-hint.ts';

export interface HeartbeatInput {
  serverId: string;
  /** Of the key that its token was signed with; missing where somebody else vouches for the server. */
  kid?: string;
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
  const { serverId, kid } = input;
  const speaker = { serverId, kid, request };
  const hasTime = request.halted === true && request.results.length === 0; // others have still to hear of a halt
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => heartbeatTurns(ctx.database).take(work, { hasTime });
  const heard = await inTurn(() => transact(ctx.database, 'heartbeat.hear', (tx) => hearHeartbeat(ctx, tx, speaker)));
  ctx.wakes.tell(WAKE_CHANNEL, serverId); // an older request that is still held here ends now
  for (const fact of heard.facts) void deliverFact(ctx, fact); // never throws; the pump is behind it
  return hold(ctx, { speaker, heard, inTurn, signal: input.signal });
}

interface Held {
  speaker: Speaker;
  heard: Heard;
  inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  signal: AbortSignal;
}

async function hold(ctx: Context, { speaker, heard, inTurn, signal }: Held): Promise<HeartbeatResponse> {
  const { serverId, request } = speaker;
  const knowsHalt = request.halted === true; // an agent that does not say what it knows is told each time
  const isOwed = heard.acked.length > 0 || heard.nextKid !== null;
  const deadlineMs = Date.now() + (isOwed ? 0 : request.wait_s * 1000);
  const hint = listenForHints(ctx, serverId);
  try {
    for (let tags: readonly string[] | null = null; ;) {
      const hinted = hint.next(tags);
      const findings = (await glanceForWork(ctx, speaker)) ?? (await inTurn(() => look(ctx, speaker)));
      tags = findings.tags;
      const leftMs = deadlineMs - Date.now();
      const isOnlyCancel = findings.cancel.length > 0 && findings.commands.length === 0 && leftMs > 0;
      if (isOnlyCancel) await waitFor(new Promise<Hint>(() => undefined), { ms: CANCEL_PACE_MS, signal });
      const isNews = hasWork(findings) || findings.isHalted !== knowsHalt;
      if (isNews || leftMs <= 0 || signal.aborted) return await answer(ctx, heard, findings);
      const heardHint = await waitFor(hinted, { ms: Math.min(leftMs, findings.lookAgainMs), signal });
      const isHalted = heardHint === 'many' ? await isHaltedNow(ctx, tags) : knowsHalt;
      if (isHalted !== knowsHalt) return write(heard, { ...findings, commands: [], cancel: [], isHalted });
    }
  } finally {
    hint.stop();
  }
}

/** New keys are told an older agent with whatever else there is. */
function hasWork({ commands, cancel, isSuperseded, keyNews }: Findings): boolean {
  return commands.length > 0 || cancel.length > 0 || isSuperseded || keyNews.command_keys_proof !== undefined;
}

function look(ctx: Context, speaker: Speaker): Promise<Findings> {
  return transact(ctx.database, 'command.issue', (tx) => lookForWork(ctx, tx, speaker));
}

/**
 * With the newest checkpoint, read now: an agent that was given an older one after it would take the log for rewritten.
 * One that a retired key signed is left out until the next is signed: the agent could not tell it from a forged one.
 */
async function answer(ctx: Context, heard: Heard, findings: Findings): Promise<HeartbeatResponse> {
  const checkpoint = await findNewestCheckpoint(ctx.database);
  const written = write(heard, findings);
  if (checkpoint === null) return written;
  const kid = readCheckpointKid(checkpoint.jws);
  const { keys, serial } = await readTrustedKeys(ctx.signer, ctx.database);
  const isTrusted = serial === findings.keysSerial && keys.some((key) => key.kid === kid);
  return isTrusted ? { ...written, checkpoint: checkpoint.jws } : written;
}

function write({ acked, nextKid }: Heard, findings: Findings): HeartbeatResponse {
  return {
    server_time: new Date().toISOString(),
    paused: findings.isPaused,
    halted: findings.isHalted,
    acked,
    commands: findings.commands,
    cancel: findings.cancel,
    heartbeat_interval_s: findings.intervalS,
    ...findings.keyNews,
    ...(nextKid === null ? {} : { next_key_kid: nextKid }),
  };
}

/** Without a look of its own: all servers hear of a halt within a second, and a look of each would take longer. */
async function isHaltedNow(ctx: Context, tags: readonly string[]): Promise<boolean> {
  return (await readStandingTogether(ctx)).some((halt) => coversServer(halt, tags));
}
