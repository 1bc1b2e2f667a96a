import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HARMLESS_REFUSALS } from '../protocol/limits.ts';
import type { KnownPlaybook } from '../protocol/messages.ts';
import { adoptResponse } from './adopt-response.ts';
import type { Adopter } from './adopt-response.ts';
import { loadIdentity, prepareFolder } from './agent-folder.ts';
import type { Identity } from './agent-folder.ts';
import { createBackoff } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import { createControlPlaneClock, SYSTEM_TIME } from './clock.ts';
import type { TimeSource } from './clock.ts';
import { createCommandRunner } from './command-runner.ts';
import type { AgentConfig } from './config.ts';
import { createControlPlaneClient } from './control-plane-client.ts';
import { openDiskReserve } from './disk-reserve.ts';
import type { DiskReserve } from './disk-reserve.ts';
import { lockFolder } from './folder-lock.ts';
import { createHeartbeatSender } from './heartbeat.ts';
import type { BeatOutcome, HeartbeatSender } from './heartbeat.ts';
import { openJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import type { Log } from './log.ts';
import { readOwnPlaybooks } from './playbook-directory.ts';
import { readBootId } from './process-tree.ts';
import { openWitness } from './witness.ts';
import type { Witness } from './witness.ts';

const POLLING_MS = 600_000; // after held requests were cut off thrice: some proxy does not let us wait
const GOODBYE_MS = 2_000;
const EARLY_S = 0.5; // an empty answer sooner than this much of the wait was not held

export interface AgentOptions {
  config: AgentConfig;
  log: Log;
  time?: TimeSource;
  backoff?: Backoff;
  graceMs?: number;
  /** Aborted to end: what runs is killed and reported as interrupted. */
  signal: AbortSignal;
}

interface Agent extends Adopter {
  signal: AbortSignal;
  time: TimeSource;
  sender: HeartbeatSender;
  backoff: Backoff;
  /** Replaced for each wait; aborting it sends the next heartbeat at once. */
  wake: AbortController;
  heldFailures: number;
  pollUntil: number;
  emptyAnswers: number;
  isAway: boolean;
}

/** Runs until `signal` is aborted. Throws ConfigurationError where it cannot start. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { config, log } = options;
  await prepareFolder(config.agentDir);
  const lock = lockFolder(config.agentDir);
  try {
    const identity = await loadIdentity(config.agentDir);
    await readOwnPlaybooks(config.playbookDir);
    const journal = await openJournal(join(config.agentDir, 'journal.jsonl'));
    const reserve = await openDiskReserve(join(config.agentDir, 'reserve'));
    const client = createControlPlaneClient(config.controlPlaneUrl);
    try {
      const serverId = identity.enrolment.server_id;
      const witness = await openWitness({ folder: config.agentDir, serverId, log });
      const agent = await assemble(options, { identity, journal, reserve, client, witness });
      tellDamage(agent);
      await agent.runner.recover();
      log('info', 'the agent runs', { server_id: serverId });
      await loop(agent);
      await sayGoodbye(agent);
    } finally {
      client.close();
      await journal.close();
    }
  } finally {
    lock.release();
  }
}

async function assemble(
  options: AgentOptions,
  parts: {
    identity: Identity;
    journal: Journal;
    reserve: DiskReserve;
    client: ReturnType<typeof createControlPlaneClient>;
    witness: Witness;
  },
): Promise<Agent> {
  const time = options.time ?? SYSTEM_TIME;
  const clock = createControlPlaneClock(time);
  const bootId = await readBootId();
  const holder: { agent?: Agent } = {};
  const runner = createCommandRunner({
    journal: parts.journal,
    reserve: parts.reserve,
    bootId,
    log: options.log,
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    iso: clock.iso,
    onChange: () => holder.agent?.wake.abort(),
  });
  const listPlaybooks = (): Promise<KnownPlaybook[]> => listKnown(options.config.playbookDir);
  const folder = options.config.agentDir;
  const { identity, ...rest } = parts;
  const sender = await createHeartbeatSender({
    ...rest,
    readIdentity: () => holder.agent?.identity ?? identity,
    folder,
    runner,
    clock,
    time,
    bootId,
    listPlaybooks,
    isHalted: () => holder.agent?.isHalted ?? false,
  });
  holder.agent = {
    config: options.config,
    log: options.log,
    signal: options.signal,
    ...parts,
    runner,
    clock,
    time,
    sender,
    backoff: options.backoff ?? createBackoff(),
    wake: new AbortController(),
    heldFailures: 0,
    pollUntil: 0,
    emptyAnswers: 0,
    isAway: false,
    isHalted: false,
  };
  return holder.agent;
}

export async function listKnown(playbookDir: string): Promise<KnownPlaybook[]> {
  const own = await readOwnPlaybooks(playbookDir);
  return [...own.playbooks.values()].map(({ name, digest }) => ({ name, digest }));
}

async function loop(agent: Agent): Promise<void> {
  const { signal } = agent;
  while (!signal.aborted) {
    agent.wake = new AbortController();
    const isPolling = agent.time.monotonic() < agent.pollUntil;
    const waitS = isPolling ? 0 : agent.identity.enrolment.max_wait_s;
    const sentAt = agent.time.monotonic();
    const stop = AbortSignal.any([signal, agent.wake.signal]);
    const outcome = await agent.sender
      .beat({ waitS, signal: stop })
      .catch((error: unknown): BeatOutcome => ({ kind: 'failed', reason: String(error), wasHeld: false }));
    const pauseMs = await adoptOutcome(agent, outcome, { waitS, tookS: (agent.time.monotonic() - sentAt) / 1000 });
    if (pauseMs > 0 && !signal.aborted) {
      const isFailure = outcome.kind === 'failed'; // away: a change of ours does not make it come back sooner
      const until = isFailure ? signal : AbortSignal.any([signal, agent.wake.signal]);
      await sleep(pauseMs, undefined, { signal: until }).catch(() => undefined);
    }
  }
}

/** How long to wait before the next heartbeat. */
async function adoptOutcome(
  agent: Agent,
  outcome: BeatOutcome,
  { waitS, tookS }: { waitS: number; tookS: number },
): Promise<number> {
  switch (outcome.kind) {
    case 'woken':
    case 'again':
      return 0;
    case 'failed': {
      agent.heldFailures += outcome.wasHeld && waitS > 0 ? 1 : 0;
      if (agent.heldFailures >= 3) {
        agent.pollUntil = agent.time.monotonic() + POLLING_MS;
        agent.heldFailures = 0;
      }
      const pauseMs = agent.backoff.nextMs(outcome.retryAfterMs);
      agent.log('warn', outcome.reason, { retry_in_ms: Math.round(pauseMs) });
      agent.isAway = true;
      return pauseMs;
    }
    case 'answered': {
      if (agent.isAway) agent.log('info', 'the control plane answers again');
      agent.isAway = false;
      agent.heldFailures = 0;
      agent.backoff.reset();
      const { response } = outcome;
      await noteDamageTold(agent);
      await adoptResponse(agent, response);
      const isEmpty = response.acked.length + response.commands.length + response.cancel.length === 0;
      const intervalMs = response.heartbeat_interval_s * 1000;
      if (waitS === 0) return agent.runner.listResults().length > 0 && !isEmpty ? 0 : intervalMs;
      const isEarly = isEmpty && tookS < waitS * EARLY_S;
      agent.emptyAnswers = isEarly ? agent.emptyAnswers + 1 : 0;
      if (!isEarly) return 0;
      return agent.emptyAnswers > 2 ? intervalMs : Math.random() * Math.min(intervalMs, 5_000);
    }
  }
}

function tellDamage({ journal, log }: Agent): void {
  if (journal.damage === null) return;
  const { lines, kept_as } = journal.damage;
  const message = 'the journal was damaged: what can be read of it goes on, and what is missing is never run again';
  log('error', message, { lines, kept_as });
}

async function noteDamageTold({ journal, log }: Agent): Promise<void> {
  if (journal.damage === null) return;
  await journal.append([{ kind: 'damage_told' }]).catch((error: unknown) => {
    log('error', 'the journal cannot be written: its damage will be told again', { error: String(error) });
  });
}

/** Ends what runs and tries once to tell it; what is not told now is told after the next start. */
async function sayGoodbye(agent: Agent): Promise<void> {
  await agent.runner.stop();
  const untold = agent.runner.listResults().filter((result) => !HARMLESS_REFUSALS.includes(result.code ?? ''));
  if (untold.length === 0) return;
  const outcome = await agent.sender.beat({ waitS: 0, signal: AbortSignal.timeout(GOODBYE_MS) });
  if (outcome.kind === 'answered') await agent.runner.acknowledge(outcome.response.acked);
}
