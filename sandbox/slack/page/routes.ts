import type { IncomingMessage, ServerResponse } from 'node:http';
import { BOT_USER_ID, isJson, textOf } from '../model.ts';
import type { DeliveryOutcome, Json, SidePanel, SlackShortcut } from '../model.ts';
import type { People } from '../people.ts';
import type { Store } from '../store.ts';
import { buildPage } from './bundle.ts';
import { answerJson, answerText, readBody } from './http.ts';
import { LiveStream } from './live.ts';

const MAX_BODY_BYTES = 256 * 1024;
const SHOWN_MESSAGES = 300; // the newest of each channel: a page of months stays quick
const PREVIEW_LINES = 5; // as Slack shows of a text file in a message
const PREVIEW_CHARS = 1_000;
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Completion {
  command: string;
  hint: string;
}

export interface PageParts {
  store: Store;
  people: People;
  sidePanel: SidePanel | undefined;
  completions: (() => Promise<Completion[]>) | undefined;
  isConnected: () => boolean;
  shortcuts: readonly SlackShortcut[];
}

/** What the browser asks for: the page, its state for one person, changes as they happen, and what the person does. */
export class PageRouter {
  readonly #parts: PageParts;
  readonly #live: LiveStream;

  constructor(parts: PageParts) {
    this.#parts = parts;
    this.#live = new LiveStream(parts.store, parts.sidePanel);
  }

  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    response.setHeader('content-security-policy', CSP);
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('cache-control', 'no-store');
    if (request.method === 'POST') return this.#act(request, response, url);
    if (url.pathname === '/' || url.pathname.startsWith('/archives/')) answerText(response, 200, SHELL, 'text/html');
    else if (url.pathname === '/app.js') answerText(response, 200, (await buildPage()).script, 'text/javascript');
    else if (url.pathname === '/app.css') answerText(response, 200, (await buildPage()).style, 'text/css');
    else if (url.pathname === '/page/stream') this.#live.add(response);
    else if (url.pathname === '/page/state')
      answerJson(response, 200, await this.#state(url.searchParams.get('user') ?? ''));
    else if (url.pathname.startsWith('/files/')) return this.#file(response, url.pathname.slice('/files/'.length));
    else return false;
    return true;
  }

  /** Always as plain text to be saved: what a file holds must never be a page of ours. */
  #file(response: ServerResponse, id: string): boolean {
    const file = this.#parts.store.uploads.find(id);
    if (file === undefined) return false;
    const name = file.name.replaceAll(/[^\w.-]/g, '_');
    response.setHeader('content-disposition', `attachment; filename="${name}"`);
    answerText(response, 200, file.text);
    return true;
  }

  close(): void {
    this.#live.close();
  }

  async #state(user: string): Promise<Json> {
    const { store, completions, isConnected, shortcuts } = this.#parts;
    const mine = store.channels().filter((channel) => channel.im_user === undefined || channel.im_user === user);
    const seen = mine.flatMap((channel) =>
      store
        .allMessages(channel.id)
        .filter((message) => (message.ephemeral_to ?? user) === user)
        .slice(-SHOWN_MESSAGES),
    );
    return {
      people: [...store.people.values()],
      bot: BOT_USER_ID,
      channels: mine,
      messages: seen,
      views: store.views().filter((view) => view.user === user),
      side_items: this.#live.sideItems(),
      completions: (await completions?.()) ?? [],
      connected: isConnected(),
      shortcuts,
      previews: Object.fromEntries(seen.flatMap(({ files = [] }) => files).map(({ id }) => [id, this.#preview(id)])),
    };
  }

  #preview(id: string): string {
    return (this.#parts.store.uploads.find(id)?.text ?? '')
      .split('\n')
      .slice(0, PREVIEW_LINES)
      .join('\n')
      .slice(0, PREVIEW_CHARS);
  }

  async #act(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    if (url.pathname !== '/page/act') return false;
    // A form of another site cannot send this type without asking first, and then the guard refuses it.
    if (!(request.headers['content-type'] ?? '').startsWith('application/json')) {
      answerText(response, 415, 'Send JSON.');
      return true;
    }
    const input: unknown = JSON.parse(await readBody(request, MAX_BODY_BYTES));
    answerJson(response, 200, await this.#perform(isJson(input) ? input : {}));
    return true;
  }

  async #perform(input: Json): Promise<DeliveryOutcome | Json> {
    const { people, sidePanel } = this.#parts;
    const user = textOf(input['user']);
    switch (input['kind']) {
      case 'command':
        return people.slashCommand({ user, ...(input as { channel: string; command: string; text: string }) });
      case 'say':
        return { ts: people.say({ user, ...(input as { channel: string; text: string }) }).ts };
      case 'click':
        return input['viewId'] === undefined
          ? people.click(input as unknown as Parameters<People['click']>[0])
          : people.clickInView(input as unknown as Parameters<People['clickInView']>[0]);
      case 'submit':
        return people.submitView(input as unknown as Parameters<People['submitView']>[0]);
      case 'close':
        return people.closeView(input as unknown as Parameters<People['closeView']>[0]);
      case 'suggest':
        return people.suggest(input as unknown as Parameters<People['suggest']>[0]);
      case 'shortcut':
        return people.shortcut(input as unknown as Parameters<People['shortcut']>[0]);
      case 'message_shortcut':
        return people.messageShortcut(input as unknown as Parameters<People['messageShortcut']>[0]);
      case 'home':
        return people.openHome(user);
      case 'side':
        await sidePanel?.act(textOf(input['id']), textOf(input['verb']));
        await this.#live.refreshSide();
        return {};
      default:
        throw new Error('Unknown kind of act.');
    }
  }
}

const SHELL = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slack stand-in — a local sandbox, not Slack</title>
<link rel="stylesheet" href="/app.css">
<link rel="icon" href="data:,">
</head>
<body><div id="root"></div><script src="/app.js"></script></body>
</html>`;
