import type { Journal } from './journal.ts';
import type { StoredFile } from './model.ts';

const KEPT_UNSHARED = 100; // announced or received and never shared: the oldest are forgotten

/** announced (a URL is given) → received (the bytes came) → kept (shared in a channel; over a restart too). */
export class Uploads {
  readonly #announced = new Map<string, Omit<StoredFile, 'text'>>();
  readonly #received = new Map<string, StoredFile>();
  readonly #kept = new Map<string, StoredFile>();
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
    for (const file of journal.entries<StoredFile>('file:')) this.#kept.set(file.id, file);
  }

  announce(file: Omit<StoredFile, 'text'>): void {
    this.#announced.set(file.id, file);
    for (const old of [...this.#announced.keys()].slice(0, -KEPT_UNSHARED)) this.#announced.delete(old);
  }

  /** Slack's status and words for the bytes that were sent. An address is good once. */
  receive(id: string, bytes: Buffer): { status: number; text: string } {
    const file = this.#announced.get(id);
    if (file === undefined) return { status: 404, text: 'No upload is expected here.' };
    if (bytes.length !== file.size) return { status: 400, text: `Expected ${String(file.size)} bytes.` };
    this.#announced.delete(id);
    this.#received.set(id, { ...file, text: bytes.toString('utf8') });
    for (const old of [...this.#received.keys()].slice(0, -KEPT_UNSHARED)) this.#received.delete(old);
    return { status: 200, text: `OK - ${String(bytes.length)}` };
  }

  received(id: string): StoredFile | undefined {
    return this.#received.get(id);
  }

  keep(file: StoredFile): void {
    this.#received.delete(file.id);
    this.#kept.set(file.id, file);
    this.#journal.set(`file:${file.id}`, file);
  }

  /** One that was shared. */
  find(id: string): StoredFile | undefined {
    return this.#kept.get(id);
  }
}
