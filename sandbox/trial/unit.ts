import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startGuarded, type GuardedProcess, type ProcessEnd } from '../guarded-process.ts';

export interface UnitSettings {
  name: string;
  port: number;
  logsDir: string;
}

export type UnitState = 'inactive' | 'activating' | 'active' | 'deactivating' | 'failed';

const START_MS = 15_000; // a Node that starts while two cores do other things
const STOP_MS = 3_000; // the service ends at once; one that hangs is killed after this

/**
 * One service under the supervisor, as systemd with `Type=notify` and `Restart=no`:
 * inactive → activating → active (it said `ready`) → deactivating → inactive; and failed, when it ends by itself with
 * an error or does not get ready in time. Nothing but `start` brings it back.
 * INVARIANT: one job at a time; later ones wait for it.
 */
export class Unit {
  readonly name: string;
  #settings: UnitSettings;
  #state: UnitState = 'inactive';
  #since = new Date();
  #process: GuardedProcess | undefined;
  #lastEnd = 'it was never started';
  #job: Promise<unknown> = Promise.resolve();

  constructor(settings: UnitSettings) {
    this.name = settings.name;
    this.#settings = settings;
  }

  get state(): UnitState {
    return this.#state;
  }

  get mainPid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Resolves to whether it is active. */
  start(): Promise<boolean> {
    return this.#enqueue(() => this.#start());
  }

  stop(): Promise<void> {
    return this.#enqueue(() => this.#stop());
  }

  restart(): Promise<boolean> {
    return this.#enqueue(async () => {
      await this.#stop();
      return this.#start();
    });
  }

  describe(): string {
    const process = this.mainPid === 0 ? `   Result: ${this.#lastEnd}` : ` Main PID: ${this.mainPid}`;
    return [
      `● ${this.name}.service - ${this.name}, on http://127.0.0.1:${this.#settings.port}/`,
      `   Active: ${this.#state} since ${this.#since.toISOString()}`,
      process,
    ].join('\n');
  }

  #enqueue<T>(job: () => Promise<T>): Promise<T> {
    const next = this.#job.then(job);
    this.#job = next.catch(() => undefined);
    return next;
  }

  async #start(): Promise<boolean> {
    if (this.state === 'active') return true;
    this.#enter('activating');
    const { name, port, logsDir } = this.#settings;
    const child = await startGuarded({
      file: process.execPath,
      args: [join(import.meta.dirname, 'service.ts'), `--name=${name}`, `--port=${port}`, `--logs=${logsDir}`],
    });
    this.#process = child;
    void child.ended.then((end) => this.#noteEnd(child, end));
    child.stderr.resume();
    const isReady = await waitForReady(child);
    if (isReady && !child.hasEnded()) {
      this.#enter('active');
      return true;
    }
    await child.stop(STOP_MS);
    this.#enter('failed');
    return false;
  }

  async #stop(): Promise<void> {
    const child = this.#process;
    if (child !== undefined && !child.hasEnded()) {
      this.#enter('deactivating');
      const stopped = child.stop(STOP_MS);
      process.kill(child.pid, 'SIGCONT'); // as systemd does: a stopped process cannot act on SIGTERM
      await stopped;
    }
    this.#process = undefined;
    this.#enter('inactive');
  }

  #noteEnd(child: GuardedProcess, end: ProcessEnd): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    this.#lastEnd = end.signal === null ? `exit code ${end.exitCode}` : `killed by ${end.signal}`;
    if (this.#state === 'active') this.#enter(end.exitCode === 0 ? 'inactive' : 'failed');
  }

  #enter(state: UnitState): void {
    this.#state = state;
    this.#since = new Date();
  }
}

async function waitForReady(child: GuardedProcess): Promise<boolean> {
  const ready = new Promise<boolean>((resolve) => {
    child.stdout.on('data', (chunk) => {
      if (String(chunk).includes('ready')) resolve(true);
    });
    void child.ended.then(() => resolve(false));
  });
  const abort = new AbortController();
  const late = delay(START_MS, false, { signal: abort.signal }).catch(() => false);
  const isReady = await Promise.race([ready, late]);
  abort.abort();
  return isReady;
}
