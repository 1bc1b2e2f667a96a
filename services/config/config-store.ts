import { createHash } from 'node:crypto';
import { ConfigurationError } from '../../domain/errors.ts';
import type { Limits } from '../../domain/limits.ts';
import type { ApprovalRule } from '../../domain/policy.ts';
import type { Group, Principal } from '../../domain/principal.ts';
import { createCatalog } from '../../playbook/catalog.ts';
import type { Playbook } from '../../playbook/playbook.ts';
import { readConfigFiles } from './config-files.ts';
import type { ConfigFile } from './config-files.ts';
import type { ConfigProblem, MedicYaml } from './parse-medic-yaml.ts';
import { EMPTY_MEDIC_YAML, parseMedicYaml } from './parse-medic-yaml.ts';

export type { ConfigProblem } from './parse-medic-yaml.ts';

/** One set of configuration, read together: who acts, what needs whom, what may run. */
export interface ControlPlaneConfig {
  principals: ReadonlyMap<string, Principal>;
  groups: ReadonlyMap<string, Group>;
  rules: readonly ApprovalRule[];
  /** How long a pending action waits for its people. */
  approvalTimeoutMs: number;
  /** How long an approved action waits for its start. */
  startWithinMs: number;
  limits: Limits;
  playbooks: ReadonlyMap<string, Playbook>;
}

export type Reload = { isReloaded: true } | { isReloaded: false; problems: ConfigProblem[] };

/** States: one current set, always whole. A reload replaces it, or keeps it and tells what is wrong. */
export interface ConfigStore {
  current(): ControlPlaneConfig;
  /** Reloads one after another; never throws for what stands in the files. */
  reload(): Promise<Reload>;
}

/**
 * Reads the directory (null: the shipped playbooks, no principals, the built-in rules). `onLoaded` hears of each set
 * with its digest before it counts; where it throws, the set does not count. Throws ConfigurationError
 * `invalid_config` with every problem, a line each, in `details.problems` too.
 */
export async function openConfigStore(input: {
  directory: string | null;
  onLoaded?(config: ControlPlaneConfig, digest: string): Promise<void>;
}): Promise<ConfigStore> {
  const load = async (): Promise<ControlPlaneConfig | ConfigProblem[]> => {
    const files = await readConfigFiles(input.directory);
    const { config, problems } = readConfig(files);
    if (config === undefined) return problems;
    await input.onLoaded?.(config, digestOfFiles(files));
    return config;
  };
  const first = await load();
  if (Array.isArray(first)) throw refuse(first);
  let current = first;
  let lastReload: Promise<unknown> = Promise.resolve();
  const reloadNow = async (): Promise<Reload> => {
    const next = await load();
    if (Array.isArray(next)) return { isReloaded: false, problems: next };
    current = next;
    return { isReloaded: true };
  };
  return {
    current: () => current,
    reload: () => {
      const reload = lastReload.then(reloadNow);
      lastReload = reload.catch(() => undefined);
      return reload;
    },
  };
}

function readConfig(files: ConfigFiles): { config?: ControlPlaneConfig; problems: ConfigProblem[] } {
  const { medicYaml } = files;
  const parsed: { value?: MedicYaml; problems: ConfigProblem[] } =
    medicYaml === null ? { value: EMPTY_MEDIC_YAML, problems: [] } : parseMedicYaml(medicYaml);
  const own = createCatalog(files.playbooks);
  const shipped = createCatalog(files.shippedPlaybooks);
  const problems = [...files.problems, ...parsed.problems, ...own.problems, ...shipped.problems];
  if (parsed.value === undefined || problems.length > 0) return { problems };
  const playbooks = new Map([...shipped.playbooks, ...own.playbooks]);
  return { config: Object.freeze({ ...parsed.value, playbooks }), problems: [] };
}

type ConfigFiles = Awaited<ReturnType<typeof readConfigFiles>>;

/** Over names and contents, in the order of the names: the same files always have the same digest. */
function digestOfFiles({ medicYaml, playbooks, shippedPlaybooks }: ConfigFiles): string {
  const hash = createHash('sha256');
  const files: ConfigFile[] = [...(medicYaml === null ? [] : [medicYaml]), ...playbooks, ...shippedPlaybooks];
  for (const { name, text } of files) hash.update(JSON.stringify([name, text]));
  return `sha256:${hash.digest('hex')}`;
}

function refuse(problems: ConfigProblem[]): ConfigurationError {
  const lines = problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
  return new ConfigurationError(lines.join('\n'), { code: 'invalid_config', details: { problems } });
}
