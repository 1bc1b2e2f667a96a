import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { generatePrivateKeyPem } from '../../protocol/keys.ts';
import { bundleAgent } from '../../sandbox/bundle-agent.ts';
import { takePort } from '../../sandbox/ports.ts';
import { poll } from '../support/poll.ts';
import { cleanEnvironment } from '../support/start-process.ts';
import type { Part, Parts } from './parts.ts';
import { describePlaybooks, SERVER } from './playbooks.ts';
import type { TemporalServer } from './temporal-server.ts';

/** Medic as an operator runs it: every part a process of its own, told by its environment where the others are. */
export interface MedicDeployment {
  url: string;
  /** Where the playbooks write. */
  workDir: string;
  /** `medic <args>` to its end. */
  medic(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  createToken(principal: string, role: string): Promise<string>;
  /** Resolves when it is ready. */
  startControlPlane(): Promise<Part>;
  /** With `enrolmentToken` it enrols first. */
  startAgent(enrolmentToken: string): Promise<void>;
}

const ROOT = join(import.meta.dirname, '..', '..');
const MEDIC = join(ROOT, 'bin', 'medic');
const READY_MS = 60_000; // the first start bundles the workflows too

const MEDIC_YAML = `version: 1
principals:
  ana: { roles: [operator, approver] }
  bob: { roles: [approver] }
  cid: { roles: [auditor] }
  root: { roles: [admin] }
`;

export async function createDeployment(input: {
  parts: Parts;
  folder: string;
  databaseUrl: string;
  temporal: TemporalServer;
}): Promise<MedicDeployment> {
  const { parts, folder, databaseUrl, temporal } = input;
  const workDir = layOut(folder);
  const { port } = await takePort();
  const url = `http://127.0.0.1:${port}`;
  const home = { ...cleanEnvironment(), HOME: join(folder, 'home') };
  const env = {
    ...home,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    MEDIC_LISTEN: `127.0.0.1:${port}`,
    MEDIC_CONFIG: join(folder, 'config'),
    MEDIC_SIGNING_KEY_FILE: join(folder, 'signing-key.pem'),
    MEDIC_LOG_LEVEL: 'warn',
  };
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> =>
    parts.run(`medic ${args[0]}`, { file: process.execPath, args: [MEDIC, ...args], env: { ...env, ...more } });
  return {
    url,
    workDir,
    medic: run,
    createToken: async (principal, role) => {
      const printed = await run(['token', 'create', '--principal', principal, '--role', role]);
      return readToken(printed);
    },
    startControlPlane: async () => {
      const part = await parts.start('the control plane', { file: process.execPath, args: [MEDIC, 'server'], env });
      await waitUntilReady(url, part);
      return part;
    },
    startAgent: (token) => startAgent({ parts, folder, url, env: home, token }),
  };
}

function layOut(folder: string): string {
  const workDir = join(folder, 'work');
  const playbooks = ['config/playbooks', 'agent-playbooks'].map((name) => join(folder, name));
  for (const directory of [workDir, join(folder, 'home'), ...playbooks]) mkdirSync(directory, { recursive: true });
  writeFileSync(join(folder, 'signing-key.pem'), generatePrivateKeyPem(), { mode: 0o600 });
  writeFileSync(join(folder, 'config', 'medic.yaml'), MEDIC_YAML);
  for (const playbook of describePlaybooks(workDir)) {
    for (const directory of playbooks)
      writeFileSync(join(directory, `${playbook.name}.yaml`), stringify(playbook, { aliasDuplicateObjects: false }));
  }
  const allow = describePlaybooks(workDir).map(({ name, params }) => [
    name,
    Object.fromEntries(Object.keys(params ?? {}).map((param) => [param, '*'])),
  ]);
  const allowYaml = stringify({ version: 1, allow: Object.fromEntries(allow) as object });
  writeFileSync(join(folder, 'agent-playbooks', 'allow.yaml'), allowYaml);
  return workDir;
}

async function startAgent(input: {
  parts: Parts;
  folder: string;
  url: string;
  env: NodeJS.ProcessEnv;
  token: string;
}): Promise<void> {
  const { parts, folder, url, token } = input;
  const { outfile } = await bundleAgent({ outfile: join(folder, 'medic-agent.mjs') });
  const env = {
    ...input.env,
    MEDIC_CONTROL_PLANE_URL: url,
    MEDIC_AGENT_DIR: join(folder, 'agent'),
    MEDIC_AGENT_PLAYBOOKS: join(folder, 'agent-playbooks'),
  };
  await parts.run(`the enrolment of ${SERVER}`, {
    file: process.execPath,
    args: [outfile, 'enroll', '--token', token],
    env,
  });
  await parts.start('the agent', { file: process.execPath, args: [outfile, 'run'], env });
}

async function waitUntilReady(url: string, part: Part): Promise<void> {
  const probe = async (): Promise<boolean> => {
    if (part.process.hasEnded()) throw new Error(`the control plane ended: ${part.printed().trim()}`);
    return fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  };
  await poll(`${url} to be ready`, probe, { timeoutMs: READY_MS });
}

function readToken(printed: string): string {
  const token = /medic_[\w-]+/.exec(printed)?.[0];
  if (token === undefined) throw new Error(`no token in: ${printed}`);
  return token;
}
