import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigurationError } from '../../domain/errors.ts';
import { startGuarded, type GuardedProcess } from '../guarded-process.ts';

export interface TrialAgent {
  pid: number;
  ended: GuardedProcess['ended'];
  stop(): Promise<void>;
}

export interface TrialAgentOptions {
  /** The bundled agent: what is shipped, not our sources. */
  agentFile: string;
  agentDir: string;
  playbookDir: string;
  controlPlaneUrl: string;
  /** Asked for only where the agent is not enrolled yet: a token works once. */
  createEnrollToken: () => Promise<string>;
  log?: (line: string) => void;
}

/**
 * Runs a real agent as its owner would: `enroll` once, then `run`, with the environment of the contract and nothing
 * else. It ends with this process. Throws `trial_agent_not_enrolled` with the agent's own words.
 */
export async function runTrialAgent(options: TrialAgentOptions): Promise<TrialAgent> {
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: options.agentDir,
    MEDIC_CONTROL_PLANE_URL: options.controlPlaneUrl,
    MEDIC_AGENT_DIR: options.agentDir,
    MEDIC_AGENT_PLAYBOOKS: options.playbookDir,
  };
  const note = join(dirname(options.agentDir), 'enrolled');
  if (!existsSync(note)) {
    await enroll(options, env);
    writeFileSync(note, `${new Date().toISOString()}\n`); // last: an enrolment that was cut short is done again
  }
  const agent = await startGuarded({ file: process.execPath, args: [options.agentFile, 'run'], env });
  readLines(agent, options.log);
  return { pid: agent.pid, ended: agent.ended, stop: async () => void (await agent.stop()) };
}

async function enroll(options: TrialAgentOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const token = await options.createEnrollToken();
  const args = [options.agentFile, 'enroll', '--token', token];
  const child = await startGuarded({ file: process.execPath, args, env });
  const words = readLines(child, options.log);
  const end = await child.ended;
  if (end.exitCode === 0) return;
  throw new ConfigurationError(`The trial agent could not enrol: ${words().trim().split('\n').at(-1) ?? ''}`, {
    code: 'trial_agent_not_enrolled',
  });
}

function readLines(child: GuardedProcess, log: ((line: string) => void) | undefined): () => string {
  let text = '';
  const read = (chunk: unknown): void => {
    text = (text + String(chunk)).slice(-4_000);
    for (const line of String(chunk).split('\n')) if (line !== '') log?.(line);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  return () => text;
}
