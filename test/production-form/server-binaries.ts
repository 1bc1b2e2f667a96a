import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UnavailableError } from '../../domain/errors.ts';
import { locateCache } from '../../sandbox/cache-dir.ts';
import type { Progress } from '../../sandbox/progress.ts';
import type { Parts } from './parts.ts';

const VERSION = '1.29.1'; // the server inside the Temporal CLI that the sandbox uses
const MODULE = 'go.temporal.io/server';
const BUILT = ['server', 'sql', 'schema'];

export interface ServerBinaries {
  server: string;
  /** Temporal's tool for its schema. */
  sql: string;
  /** Holds `temporal/versioned` and `visibility/versioned`. */
  schemaDir: string;
}

/**
 * Temporal's production server, from the user's cache or built with Go. It comes into the cache under its name only
 * when complete, so a build that is killed leaves nothing that looks usable. Throws `no_go`, `build_failed`.
 */
export async function ensureServerBinaries(input: { parts: Parts; progress: Progress }): Promise<ServerBinaries> {
  const folder = join(locateCache(), 'temporal-server', VERSION);
  if (!BUILT.every((name) => existsSync(join(folder, name)))) await build(folder, input);
  return { server: join(folder, 'server'), sql: join(folder, 'sql'), schemaDir: join(folder, 'schema') };
}

async function build(folder: string, { parts, progress }: { parts: Parts; progress: Progress }): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const packages = ['cmd/server', 'cmd/tools/sql'].map((path) => `${MODULE}/${path}@v${VERSION}`);
    const env = { ...process.env, GOBIN: draft };
    await progress.during(`Building Temporal ${VERSION} with Go, once, which takes a few minutes`, (report) =>
      runGo({ parts, args: ['install', '-v', ...packages], env, report }),
    );
    const moduleCache = await runGo({ parts, args: ['env', 'GOMODCACHE'], env, report: () => undefined });
    const schema = join(moduleCache.trim(), `${MODULE}@v${VERSION}`, 'schema', 'postgresql', 'v12');
    cpSync(schema, join(draft, 'schema'), { recursive: true }); // Go may clean its own cache at any time
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function runGo(input: {
  parts: Parts;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  report: (detail: string) => void;
}): Promise<string> {
  const go = await input.parts.start('go', { file: 'go', args: input.args, env: input.env });
  go.onLine(input.report);
  const { exitCode } = await go.process.ended;
  await go.drained;
  if (exitCode === 127) {
    const sentence = 'Go is needed to build the Temporal server, and it is not there: install Go 1.24 or newer.';
    throw new UnavailableError(sentence, { code: 'no_go' });
  }
  if (exitCode !== 0) {
    const sentence = `The Temporal server could not be built: ${go.printed().trim().slice(-500)}`;
    throw new UnavailableError(sentence, { code: 'build_failed' });
  }
  return go.output();
}
