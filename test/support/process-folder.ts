import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stringify } from 'yaml';
import { generatePrivateKeyPem } from '../../protocol/keys.ts';
import { bundleAgent } from '../../sandbox/bundle-agent.ts';
import { readStack } from './stack.ts';

/** Where the processes of one run find what they are given. */
export interface Places {
  folder: string;
  url: string;
  /** The repair writes a line here when it starts and when it ends … */
  marker: string;
  /** … and ends only once this file is there. */
  gate: string;
  /** medic.yaml and the playbooks of the control plane. */
  configDir: string;
  agentFile: string;
  /** What the processes of the control plane are started with. */
  env: Readonly<Record<string, string>>;
}

/** Playbooks by name, as the control plane and every agent have them. */
export type Playbooks = Readonly<Record<string, object>>;

const STEP = join(import.meta.dirname, '..', 'fixtures', 'chaos', 'step.mjs');
const CRASH_HOOK = pathToFileURL(join(import.meta.dirname, 'crash-hook.ts')).href;
const MEDIC_YAML = `version: 1
principals:
  ana: { roles: [operator, approver] }
  bob: { roles: [operator, approver] }
  eve: { roles: [auditor] }
  root: { roles: [admin] }
limits: { hold_back_after: 0 }
`;

/** The step of a repair that leaves its marks: it takes so long, or waits at the gate, and prints so many bytes. */
export function stepOf(
  places: Pick<Places, 'marker' | 'gate'>,
  { takesMs, prints = 0 }: { takesMs: number | 'gate'; prints?: number },
): object {
  const until = takesMs === 'gate' ? places.gate : String(takesMs);
  return { run: [process.execPath, STEP, places.marker, until, String(prints)] };
}

export async function prepareFolder(
  folder: string,
  input: {
    databaseUrl: string;
    port: number;
    env: Readonly<Record<string, string>>;
    medicYaml: string | undefined;
    playbooks: ((places: Pick<Places, 'marker' | 'gate'>) => Playbooks) | undefined;
  },
): Promise<Places> {
  const at = (...names: string[]): string => join(folder, ...names);
  const marks = { marker: at('work', 'marker'), gate: at('work', 'gate') };
  for (const name of ['work', 'config/playbooks', 'agent-playbooks', 'home', 'crash']) {
    mkdirSync(at(name), { recursive: true });
  }
  writeFileSync(at('config', 'medic.yaml'), input.medicYaml ?? MEDIC_YAML);
  const playbooks = (input.playbooks ?? describeGatedRepair)(marks);
  for (const [name, playbook] of Object.entries(playbooks)) {
    const text = stringify({ name, ...playbook });
    for (const directory of ['config/playbooks', 'agent-playbooks']) writeFileSync(at(directory, `${name}.yaml`), text);
  }
  const allow = Object.fromEntries(Object.keys(playbooks).map((name) => [name, {}]));
  writeFileSync(at('agent-playbooks', 'allow.yaml'), stringify({ version: 1, allow }));
  const { outfile } = await bundleAgent({ outfile: at('medic-agent.mjs') });
  const url = `http://127.0.0.1:${input.port}`;
  return { folder, url, ...marks, configDir: at('config'), agentFile: outfile, env: describeEnv(folder, input) };
}

function describeEnv(
  folder: string,
  input: { databaseUrl: string; port: number; env: Readonly<Record<string, string>> },
): Record<string, string> {
  const { temporalAddress, temporalNamespace } = readStack();
  return {
    HOME: join(folder, 'home'),
    NODE_COMPILE_CACHE: join(tmpdir(), 'medic-test-compile-cache'), // a part that is killed is soon back
    XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(process.env['HOME'] ?? folder, '.cache'),
    DATABASE_URL: input.databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: temporalNamespace,
    MEDIC_LISTEN: `127.0.0.1:${input.port}`,
    MEDIC_CONFIG: join(folder, 'config'),
    MEDIC_SIGNING_KEY: generatePrivateKeyPem().replaceAll('\n', '\\n'),
    MEDIC_SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
    MEDIC_LOG_LEVEL: 'warn',
    ...input.env,
  };
}

function describeGatedRepair(marks: Pick<Places, 'marker' | 'gate'>): Playbooks {
  const title = 'A repair that waits at a gate';
  return { 'gated-repair': { title, risk: 'low', timeout: '5m', steps: [stepOf(marks, { takesMs: 'gate' })] } };
}

/** What a process is started with to be killed, or to have its clock stepped, at the test's choice; see crash-hook.ts. */
export function crashEnv(places: Places, name: string, bootId?: string): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${CRASH_HOOK}`,
    TEST_CRASH_FILE: crashFile(places, name),
    ...(name.startsWith('agent') ? { TEST_CLOCK_FILE: clockFile(places, name) } : {}),
    ...(bootId === undefined ? {} : { TEST_BOOT_ID: bootId }),
  };
}

export function crashFile({ folder }: Pick<Places, 'folder'>, name: string): string {
  return join(folder, 'crash', name.replaceAll(' ', '-'));
}

/** By how many milliseconds the clock of an agent is off; right while there is none. */
export function clockFile({ folder }: Pick<Places, 'folder'>, name: string): string {
  return `${crashFile({ folder }, name)}.clock`;
}
