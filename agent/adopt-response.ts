import { verifyCommand } from '../protocol/command-jws.ts';
import type { HeartbeatResponse } from '../protocol/messages.ts';
import { saveEnrolment } from './agent-folder.ts';
import type { Identity } from './agent-folder.ts';
import type { ControlPlaneClock } from './clock.ts';
import type { CommandRunner } from './command-runner.ts';
import type { AgentConfig } from './config.ts';
import type { Journal } from './journal.ts';
import { followCommandKeys } from './command-keys.ts';
import { adoptNextKey } from './next-key.ts';
import { judgeCommand } from './judge-command.ts';
import type { Log } from './log.ts';
import { readOwnPlaybooks } from './playbook-directory.ts';
import type { Witness } from './witness.ts';

export interface Adopter {
  config: AgentConfig;
  log: Log;
  /** Replaced where the control plane tells other keys or another interval, and where the agent's own key changes. */
  identity: Identity;
  journal: Journal;
  runner: CommandRunner;
  clock: ControlPlaneClock;
  witness: Witness;
  /** What the control plane said last. */
  isHalted: boolean;
}

/** Settings first, then what ended, what is to end, and what is to start. Never throws for a command. */
export async function adoptResponse(agent: Adopter, response: HeartbeatResponse): Promise<void> {
  const { runner, identity, log } = agent;
  agent.isHalted = response.halted; // before anything is started
  await adoptSettings(agent, response);
  await keepCheckpoint(agent, response);
  await runner.acknowledge(response.acked);
  for (const commandId of response.cancel) runner.cancel(commandId);
  for (const jws of response.commands) {
    try {
      await adoptCommand(agent, jws);
    } catch (error) {
      log('error', 'a command could not be judged', {
        error: String(error),
        server_id: identity.enrolment.server_id,
      });
    }
  }
}

async function adoptSettings(agent: Adopter, response: HeartbeatResponse): Promise<void> {
  const { identity, log } = agent;
  const { agentDir } = agent.config;
  const followed = await followCommandKeys(identity.enrolment, response, log);
  const enrolment = { ...followed, heartbeat_interval_s: response.heartbeat_interval_s };
  const { key } = await adoptNextKey(agentDir, { identity, acceptedKid: response.next_key_kid, log });
  agent.identity = { key, enrolment };
  if (followed === identity.enrolment) return;
  await saveEnrolment(agentDir, enrolment).catch((error: unknown) => {
    log('warn', 'the command keys could not be kept: they are asked for again after a start', { error: String(error) });
  });
}

/** A full disk must not keep results from being acknowledged, nor commands from being refused for it. */
async function keepCheckpoint(agent: Adopter, { checkpoint }: HeartbeatResponse): Promise<void> {
  if (checkpoint === undefined) return;
  const keys = agent.identity.enrolment.command_keys;
  await agent.witness.hear({ jws: checkpoint, keys }).catch((error: unknown) => {
    agent.log('warn', 'a checkpoint could not be kept', { error: String(error) });
  });
}

async function adoptCommand(agent: Adopter, jws: string): Promise<void> {
  const { runner, journal, log } = agent;
  const { enrolment } = agent.identity;
  const reading = await verifyCommand({ jws, keys: enrolment.command_keys });
  // A stranger's word about a command that we know changes nothing and is answered with nothing.
  if (reading.status === 'bad_signature' && journal.find(reading.claimed.commandId) !== undefined) return;
  if (reading.status === 'verified' && runner.recallKnown(reading.payload.command_id)) return;
  if (runner.isBusy) return;
  const judgement = await judgeCommand(jws, {
    serverId: enrolment.server_id,
    keys: enrolment.command_keys,
    nowMs: agent.clock.nowMs(),
    isHalted: agent.isHalted,
    highestSeq: journal.highestSeq,
    readOwnPlaybooks: () => readOwnPlaybooks(agent.config.playbookDir),
  });
  switch (judgement.verdict) {
    case 'unreadable':
      log('warn', 'dropped a command that cannot be read', { reason: judgement.reason });
      return;
    case 'harmless':
      runner.refuseWithoutTrace(judgement);
      return;
    case 'refused':
      return runner.refuse(judgement);
    case 'run':
      return runner.start(judgement);
  }
}
