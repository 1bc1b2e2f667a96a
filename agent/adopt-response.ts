import { verifyCommand } from '../protocol/command-jws.ts';
import type { HeartbeatResponse } from '../protocol/messages.ts';
import { saveEnrolment } from './agent-folder.ts';
import type { Identity } from './agent-folder.ts';
import type { ControlPlaneClock } from './clock.ts';
import type { CommandRunner } from './command-runner.ts';
import type { AgentConfig } from './config.ts';
import type { Journal } from './journal.ts';
import { judgeCommand } from './judge-command.ts';
import type { Log } from './log.ts';
import { readOwnPlaybooks } from './playbook-directory.ts';

export interface Adopter {
  config: AgentConfig;
  log: Log;
  /** Replaced where the control plane tells other keys or another interval. */
  identity: Identity;
  journal: Journal;
  runner: CommandRunner;
  clock: ControlPlaneClock;
}

/** Settings first, then what ended, what is to end, and what is to start. Never throws for a command. */
export async function adoptResponse(agent: Adopter, response: HeartbeatResponse): Promise<void> {
  const { runner, identity, log } = agent;
  await adoptSettings(agent, response);
  await runner.acknowledge(response.acked);
  for (const commandId of response.cancel) runner.cancel(commandId);
  for (const jws of response.commands) {
    try {
      await adoptCommand(agent, jws, response.halted);
    } catch (error) {
      log('error', 'a command could not be judged', {
        error: String(error),
        server_id: identity.enrolment.server_id,
      });
    }
  }
}

async function adoptSettings(agent: Adopter, response: HeartbeatResponse): Promise<void> {
  const { enrolment } = agent.identity;
  const keys = response.command_keys ?? enrolment.command_keys;
  const isSame = JSON.stringify(keys) === JSON.stringify(enrolment.command_keys);
  const intervalS = response.heartbeat_interval_s;
  if (isSame && intervalS === enrolment.heartbeat_interval_s) return;
  const changed = { ...enrolment, command_keys: keys, heartbeat_interval_s: intervalS };
  agent.identity = { ...agent.identity, enrolment: changed };
  if (!isSame) await saveEnrolment(agent.config.agentDir, changed).catch(() => undefined);
}

async function adoptCommand(agent: Adopter, jws: string, isHalted: boolean): Promise<void> {
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
    isHalted,
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
