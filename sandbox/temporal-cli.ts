import { execFile } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { UnavailableError } from '../domain/errors.ts';
import { locateCache } from './cache-dir.ts';
import { startGuarded } from './guarded-process.ts';
import { createProgress, type Progress } from './progress.ts';

const CLI_VERSION = '1.5.1'; // later tags carry a `replace`, which `go install` refuses
const OLDEST_SERVER = [1, 29] as const; // the server inside CLI 1.5.1, which Medic is tested on
const MODULE = `github.com/temporalio/cli/cmd/temporal@v${CLI_VERSION}`;

export interface TemporalSearch {
  progress?: Progress;
  /** Instead of `progress`: receives its lines. */
  onProgress?: (line: string) => void;
  env?: NodeJS.ProcessEnv;
}

/**
 * The path of a Temporal CLI that suits: on PATH, in the user's cache, fetched by Temporal's own testing package, or
 * built with Go, in this order. What is fetched or built goes to the cache under a temporary name and is renamed when
 * complete, so a run that is killed leaves nothing that looks usable. Throws `no_temporal_cli` with the ways out.
 */
export async function findTemporalCli(search: TemporalSearch = {}): Promise<string> {
  const env = search.env ?? process.env;
  const progress =
    search.progress ?? createProgress(search.onProgress === undefined ? {} : { write: search.onProgress });
  for (const candidate of listOnPath('temporal', env)) if (await suits(candidate)) return candidate;
  const cacheDir = join(locateCache(env), 'temporal', CLI_VERSION);
  const cached = join(cacheDir, 'temporal');
  if (existsSync(cached) && (await suits(cached))) return cached;
  mkdirSync(cacheDir, { recursive: true });
  const failures: string[] = [];
  for (const obtain of [fetchCli, buildCli]) {
    const result = await obtain({ cacheDir, cached, env, progress });
    if (result === undefined && (await suits(cached))) return cached;
    failures.push(result ?? 'what came does not run here');
  }
  throw new UnavailableError(
    `The Temporal CLI is needed and could not be got (${failures.join('; ')}). Any one of these helps: connect to the ` +
      `network; install the Temporal CLI (https://docs.temporal.io/cli) so that "temporal" is on the PATH; install Go ` +
      `1.24 or newer, then Medic builds it; or set TEMPORAL_ADDRESS to a Temporal service for npm start.`,
    { code: 'no_temporal_cli' },
  );
}

/** Whether this executable is a Temporal CLI with a server new enough. Exported for its tests. */
export function isSuitableVersion(versionLine: string): boolean {
  const match = /Server (\d+)\.(\d+)/.exec(versionLine);
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major === OLDEST_SERVER[0] && minor >= OLDEST_SERVER[1];
}

async function suits(file: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(file, ['--version'], { timeout: 30_000 }); // 250 MB from a cold disk
    return isSuitableVersion(stdout);
  } catch {
    return false;
  }
}

function listOnPath(name: string, env: NodeJS.ProcessEnv): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, name)).filter(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

interface Obtaining {
  cacheDir: string;
  cached: string;
  env: NodeJS.ProcessEnv;
  progress: Progress;
}

/** In a process of its own: loading Temporal's native library here would cost every start its time and memory. */
async function fetchCli(input: Obtaining): Promise<string | undefined> {
  const draft = join(input.cacheDir, `fetch-${process.pid}`);
  mkdirSync(draft, { recursive: true });
  try {
    const script = join(import.meta.dirname, 'fetch-temporal.ts');
    const failure = await input.progress.during('Fetching the Temporal CLI', (report) =>
      run({ file: process.execPath, args: [script, draft, `v${CLI_VERSION}`], env: input.env, report }),
    );
    if (failure !== undefined) return `fetching it failed: ${failure}`;
    const fetched = readdirSync(draft).find((name) => name.startsWith('temporal'));
    if (fetched === undefined) return 'fetching it brought no file';
    chmodSync(join(draft, fetched), 0o755);
    renameSync(join(draft, fetched), input.cached);
    return undefined;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Everything Go downloads goes to the cache too, and stays there until a build succeeds, so a retry is shorter. */
async function buildCli(input: Obtaining): Promise<string | undefined> {
  const go = listOnPath('go', input.env)[0];
  if (go === undefined) return 'Go is not installed';
  const goPath = join(input.cacheDir, 'go');
  const draft = join(input.cacheDir, `build-${process.pid}`);
  const env = { ...input.env, GOPATH: goPath, GOBIN: draft, GOFLAGS: '-modcacherw', GOTOOLCHAIN: 'auto' };
  delete (env as NodeJS.ProcessEnv)['GOMODCACHE'];
  try {
    const what = 'Building the Temporal CLI with Go, once, which takes a few minutes';
    const failure = await input.progress.during(what, (report) =>
      run({ file: go, args: ['install', '-v', '-ldflags=-s -w', MODULE], env, report }),
    );
    if (failure !== undefined) return `building it with Go failed: ${failure}`;
    renameSync(join(draft, 'temporal'), input.cached);
    rmSync(goPath, { recursive: true, force: true });
    return undefined;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

interface Run {
  file: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  report: (detail: string) => void;
}

/** Undefined when it went well, else the last thing it said. */
async function run(options: Run): Promise<string | undefined> {
  const child = await startGuarded({ file: options.file, args: options.args, env: options.env });
  let output = '';
  const read = (chunk: unknown): void => {
    output = (output + String(chunk)).slice(-4_000);
    options.report(lastLine(output));
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const end = await child.ended;
  if (end.exitCode === 0) return undefined;
  if (/no space left on device/i.test(output)) return 'the disk is full, free some space';
  return lastLine(output).slice(0, 300) || `it ended with ${end.signal ?? `exit code ${end.exitCode}`}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
