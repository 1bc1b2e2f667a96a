import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigProblem } from './parse-medic-yaml.ts';

export interface ConfigFile {
  /** The path as a person reads it in a problem. */
  file: string;
  /** Within the configuration, the same on every machine. */
  name: string;
  text: string;
}

export interface ConfigFiles {
  medicYaml: ConfigFile | null;
  playbooks: ConfigFile[];
  /** Without those whose name stands in `playbooks`. */
  shippedPlaybooks: ConfigFile[];
  problems: ConfigProblem[];
}

const PLAYBOOK_FILE = /\.ya?ml$/;
const SHIPPED_DIRECTORY = fileURLToPath(new URL('../../playbooks/', import.meta.url));

/** All that the configuration is read from, at one moment. What cannot be read is a problem, never a throw. */
export async function readConfigFiles(directory: string | null): Promise<ConfigFiles> {
  const problems: ConfigProblem[] = [];
  const shipped = await readPlaybooks({ directory: SHIPPED_DIRECTORY, prefix: 'shipped', problems });
  if (directory === null) return { medicYaml: null, playbooks: [], shippedPlaybooks: shipped, problems };
  const medicYaml = await readMedicYaml(directory, problems);
  const playbooks = await readPlaybooks({ directory: join(directory, 'playbooks'), prefix: 'playbooks', problems });
  const taken = new Set(playbooks.map(baseName));
  return { medicYaml, playbooks, shippedPlaybooks: shipped.filter((file) => !taken.has(baseName(file))), problems };
}

async function readMedicYaml(directory: string, problems: ConfigProblem[]): Promise<ConfigFile | null> {
  const file = join(directory, 'medic.yaml');
  try {
    return { file, name: 'medic.yaml', text: await readFile(file, 'utf8') };
  } catch (error) {
    const isThere = await isDirectory(directory);
    const message = isThere
      ? `medic.yaml cannot be read (${codeOf(error)}); MEDIC_CONFIG must name a directory that holds it.`
      : `MEDIC_CONFIG must name a directory, and ${directory} is none.`;
    problems.push(problem(file, 'unreadable_file', message));
    return null;
  }
}

/** A directory that is not there holds no playbooks. */
async function readPlaybooks(input: {
  directory: string;
  prefix: string;
  problems: ConfigProblem[];
}): Promise<ConfigFile[]> {
  const { directory, prefix, problems } = input;
  const names = await readdir(directory).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT')
      problems.push(problem(directory, 'unreadable_file', `Cannot be read (${codeOf(error)}).`));
    return [];
  });
  const files: ConfigFile[] = [];
  for (const name of names.filter((entry) => PLAYBOOK_FILE.test(entry) && entry !== 'allow.yaml').toSorted()) {
    const file = join(directory, name);
    try {
      files.push({ file, name: `${prefix}/${name}`, text: await readFile(file, 'utf8') });
    } catch (error) {
      problems.push(problem(file, 'unreadable_file', `Cannot be read (${codeOf(error)}).`));
    }
  }
  return files;
}

function baseName({ name }: ConfigFile): string {
  return name.slice(name.lastIndexOf('/') + 1).replace(PLAYBOOK_FILE, '');
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}

function problem(file: string, code: string, message: string): ConfigProblem {
  return { file, line: 1, column: 1, message, code };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
