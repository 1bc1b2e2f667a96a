import {
  closeSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const MAX_LINES = 5_000; // a few megabytes; then only the newest state of each key is kept

/**
 * Keeps the newest value of each key over a crash. One JSON line per change, on disk before `set` returns; a torn last
 * line is what the crash interrupted and is ignored. Rewritten whole (to a new file, then renamed) when it grows.
 */
export class Journal {
  readonly #file: string | undefined;
  readonly #values = new Map<string, unknown>();
  #descriptor: number | undefined;
  #lines = 0;

  /** Without a file everything stays in memory. Throws when the file cannot be written. */
  constructor(file: string | undefined) {
    this.#file = file;
    if (file === undefined) return;
    mkdirSync(dirname(file), { recursive: true });
    if (existsSync(file)) this.#read(file);
    this.#compact(file);
  }

  entries<T>(prefix: string): T[] {
    return [...this.#values].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value as T);
  }

  /** `undefined` forgets the key. */
  set(key: string, value: unknown): void {
    if (value === undefined) this.#values.delete(key);
    else this.#values.set(key, value);
    if (this.#descriptor === undefined || this.#file === undefined) return;
    writeSync(this.#descriptor, `${JSON.stringify({ key, value })}\n`);
    fdatasyncSync(this.#descriptor);
    this.#lines += 1;
    if (this.#lines > MAX_LINES + this.#values.size) this.#compact(this.#file);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #read(file: string): void {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const change = parseLine(line);
      if (change === undefined) continue;
      if (change.value === undefined) this.#values.delete(change.key);
      else this.#values.set(change.key, change.value);
    }
  }

  #compact(file: string): void {
    this.close();
    const next = `${file}.next`;
    const descriptor = openSync(next, 'w', 0o600);
    for (const [key, value] of this.#values) writeSync(descriptor, `${JSON.stringify({ key, value })}\n`);
    fdatasyncSync(descriptor);
    renameSync(next, file);
    this.#descriptor = descriptor;
    this.#lines = this.#values.size;
  }
}

function parseLine(line: string): { key: string; value?: unknown } | undefined {
  try {
    const change = JSON.parse(line) as { key?: unknown; value?: unknown };
    return typeof change.key === 'string' ? { key: change.key, value: change.value } : undefined;
  } catch {
    return undefined;
  }
}
