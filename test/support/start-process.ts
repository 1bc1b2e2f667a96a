import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const READY_MS = 90_000; // the first start on a machine whose two cores are busy with other tests

export interface StartedMedic {
  process: ChildProcess;
  /** Everything it has printed so far. */
  printed(): string;
  addresses: { controlPlane: string; slack: string };
  dataDir: string;
  /** SIGTERM, and its exit code; the data stays. */
  stop(): Promise<number | null>;
  /** Deletes the data too. */
  dispose(): Promise<void>;
}

/** `npm start` as a person runs it, on a data folder of the test's own; resolves when it prints that it is ready. */
export async function startMedic(input: { dataDir?: string } = {}): Promise<StartedMedic> {
  const dataDir = input.dataDir ?? mkdtempSync(join(tmpdir(), 'medic-start-'));
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'medic'), 'start', '--data', dataDir], {
    cwd: tmpdir(),
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let text = '';
  const controlPlane = /control plane +(http\S+)/;
  const slack = /Slack workspace +(http\S+)/;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`npm start is not ready after ${READY_MS} ms:\n${text}`));
    }, READY_MS);
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      if (!controlPlane.test(text) || !/Ctrl-C/.test(text)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then((code) => {
      clearTimeout(timer);
      reject(new Error(`npm start ended with ${String(code)}:\n${text}`));
    });
  });
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    return ended;
  };
  return {
    process: child,
    printed: () => text,
    addresses: { controlPlane: controlPlane.exec(text)?.[1] ?? '', slack: slack.exec(text)?.[1] ?? '' },
    dataDir,
    stop,
    dispose: async () => {
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** What a new user's shell holds: nothing of this test run, nothing configured. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(DATABASE_URL|TEMPORAL_|SLACK_|MEDIC_|NODE_OPTIONS|JEST_|npm_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
