import type { ServerResponse } from 'node:http';
import type { SidePanel, SidePanelItem } from '../model.ts';
import type { Store } from '../store.ts';

const SIDE_PANEL_MS = 1_500; // how soon a broken service shows; asked only while somebody looks
const GATHER_MS = 30; // many changes at once are told once

/** Tells open pages that something changed (server-sent events); they ask for their person's state then. */
export class LiveStream {
  readonly #open = new Set<ServerResponse>();
  readonly #sidePanel: SidePanel | undefined;
  readonly #stopListening: () => void;
  #items: SidePanelItem[] = [];
  #told: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;

  constructor(store: Store, sidePanel: SidePanel | undefined) {
    this.#sidePanel = sidePanel;
    this.#stopListening = store.onChange(() => {
      this.#tell();
    });
  }

  add(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'keep-alive' });
    response.write('retry: 1000\ndata: changed\n\n');
    this.#open.add(response);
    response.on('close', () => {
      this.#open.delete(response);
      if (this.#open.size > 0) return;
      clearTimeout(this.#poll);
      this.#poll = undefined;
    });
    if (this.#poll === undefined) void this.#watchSide();
  }

  sideItems(): SidePanelItem[] {
    return this.#items;
  }

  async refreshSide(): Promise<void> {
    try {
      const items = (await this.#sidePanel?.items()) ?? [];
      if (JSON.stringify(items) === JSON.stringify(this.#items)) return;
      this.#items = items;
      this.#tell();
    } catch {
      // The panel is a convenience: what it cannot tell now, it tells at the next look.
    }
  }

  close(): void {
    this.#stopListening();
    clearTimeout(this.#told);
    clearTimeout(this.#poll);
    for (const response of this.#open) response.end();
    this.#open.clear();
  }

  #tell(): void {
    this.#told ??= setTimeout(() => {
      this.#told = undefined;
      for (const response of this.#open) response.write('data: changed\n\n');
    }, GATHER_MS);
  }

  async #watchSide(): Promise<void> {
    if (this.#sidePanel === undefined) return;
    await this.refreshSide();
    if (this.#open.size === 0) return;
    this.#poll = setTimeout(() => void this.#watchSide(), SIDE_PANEL_MS);
    this.#poll.unref();
  }
}
