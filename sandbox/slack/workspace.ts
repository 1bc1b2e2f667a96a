import { Dispatcher } from './delivery/dispatcher.ts';
import { ResponseUrls } from './delivery/response-urls.ts';
import type { PayloadKind, Tamper } from './delivery/signed-http.ts';
import { SocketMode } from './delivery/socket-mode.ts';
import { Triggers } from './delivery/triggers.ts';
import { BOT_USER_ID, TEAM_ID } from './model.ts';
import type { DeliveryOutcome, RecordedCall, SidePanel, SlackPerson, StoredMessage, StoredView } from './model.ts';
import { closeServer, openServer } from './page/server.ts';
import type { PageRoutes } from './page/server.ts';
import { PageRouter } from './page/routes.ts';
import type { Completion } from './page/routes.ts';
import { People } from './people.ts';
import type { ClickInput, SuggestionInput, ViewClickInput } from './people.ts';
import { Store } from './store.ts';
import { waitForChange } from './waiting.ts';
import { WebApiEndpoint } from './web-api/endpoint.ts';
import { Faults } from './web-api/faults.ts';
import { modalsOf } from './web-api/views.ts';

export type {
  DeliveryOutcome,
  RecordedCall,
  SidePanel,
  SidePanelItem,
  SlackPerson,
  StoredMessage,
  StoredView,
} from './model.ts';
export type { Completion } from './page/routes.ts';

export interface SlackWorkspaceOptions {
  /** 0 takes a free one. Bound to 127.0.0.1 only. */
  port: number;
  /** Keeps messages, channels and views over a restart; absent: in memory. */
  dataFile?: string;
  people?: SlackPerson[];
  channels?: { id: string; name: string }[];
  botToken: string;
  appToken?: string;
  signingSecret?: string;
  /** HTTP mode: where signed requests go. Absent: Socket Mode. */
  httpEventsUrl?: string;
  /** The granted ones; absent: all. */
  scopes?: string[];
  enforceRateLimits?: boolean;
  sidePanel?: SidePanel;
  /** What the composer offers while a person types a command. */
  completions?: () => Promise<Completion[]>;
}

export interface SlackWorkspace {
  url: string;
  /** The WebClient's `slackApiUrl`. */
  apiUrl: string;
  teamId: string;
  botUserId: string;
  stop(): Promise<void>;
  setHttpEventsUrl(url: string): void;
  slashCommand(input: {
    user: string;
    channel?: string;
    command: string;
    text: string;
    triggerId?: string;
  }): Promise<DeliveryOutcome>;
  click(input: ClickInput): Promise<DeliveryOutcome>;
  clickInView(input: ViewClickInput): Promise<DeliveryOutcome>;
  submitView(input: {
    user: string;
    viewId: string;
    values: Record<string, Record<string, unknown>>;
  }): Promise<DeliveryOutcome>;
  closeView(input: { user: string; viewId: string }): Promise<DeliveryOutcome>;
  openHome(user: string): Promise<DeliveryOutcome>;
  suggest(input: SuggestionInput): Promise<DeliveryOutcome>;
  deliverRaw(input: {
    kind: PayloadKind;
    payload: Record<string, unknown>;
    tamper?: Tamper;
  }): Promise<{ status: number; body: string }>;
  messages(channel: string): StoredMessage[];
  ephemerals(user: string): StoredMessage[];
  openViews(user: string): StoredView[];
  home(user: string): StoredView | undefined;
  calls(): RecordedCall[];
  /** How many Socket Mode connections the app holds. */
  connections(): number;
  waitFor<T>(
    probe: (workspace: SlackWorkspace) => T | undefined | false,
    options?: { timeoutMs?: number; what?: string },
  ): Promise<T>;
  faults: {
    rateLimitNext(method: string, times: number, retryAfterS: number): void;
    outage(on: boolean): void;
    dropAnswer(method: string, times: number): void;
    disconnectSockets(): void;
    delayMs(method: string, ms: number): void;
  };
}

/** Starts the stand-in. Rejects when the port is taken or the data file cannot be written. */
export async function startSlackWorkspace(options: SlackWorkspaceOptions): Promise<SlackWorkspace> {
  const parts = build(options);
  const { server, port } = await openServer(options.port, routesOf(parts)).catch(async (error: unknown) => {
    await close(parts);
    throw error;
  });
  parts.store.baseUrl = `http://127.0.0.1:${String(port)}`;
  const stop = async (): Promise<void> => {
    await close(parts);
    await closeServer(server);
  };
  return assemble(parts, stop);
}

interface Parts {
  store: Store;
  faults: Faults;
  responseUrls: ResponseUrls;
  sockets: SocketMode;
  dispatcher: Dispatcher;
  people: People;
  router: PageRouter;
  endpoint: WebApiEndpoint;
}

function build(options: SlackWorkspaceOptions): Parts {
  const { signingSecret, httpEventsUrl, sidePanel, completions, appToken, botToken, scopes } = options;
  const store = new Store(options);
  const triggers = new Triggers();
  const faults = new Faults();
  const responseUrls = new ResponseUrls(store);
  const sockets = new SocketMode(() => {
    store.changed();
  });
  const dispatcher = new Dispatcher({ sockets, signingSecret, httpEventsUrl });
  const people = new People({ store, dispatcher, triggers, responseUrls });
  const isConnected = (): boolean => Boolean(dispatcher.httpEventsUrl) || sockets.connections > 0;
  const router = new PageRouter({ store, people, sidePanel, completions, isConnected });
  const socketUrl = (): string => `${store.baseUrl.replace('http:', 'ws:')}/link?ticket=${sockets.ticket()}`;
  const enforceRateLimits = options.enforceRateLimits ?? false;
  const endpoint = new WebApiEndpoint({
    store,
    triggers,
    faults,
    socketUrl,
    botToken,
    appToken,
    scopes,
    enforceRateLimits,
  });
  return { store, faults, responseUrls, sockets, dispatcher, people, router, endpoint };
}

function routesOf({ endpoint, faults, responseUrls, router, sockets }: Parts): PageRoutes {
  return {
    api: (request, response, method) => endpoint.handle(request, response, method),
    respond: (id, body) => (faults.isOut ? { status: 503, body: { ok: false } } : responseUrls.use(id, body)),
    page: (request, response, url) => router.handle(request, response, url),
    upgrade: (request, socket, head) => {
      sockets.upgrade(request, socket, head);
    },
  };
}

async function close({ dispatcher, router, sockets, store }: Parts): Promise<void> {
  dispatcher.close();
  router.close();
  await sockets.close();
  store.close();
}

function assemble({ store, people, dispatcher, sockets, faults }: Parts, stop: () => Promise<void>): SlackWorkspace {
  const workspace: SlackWorkspace = {
    url: store.baseUrl,
    apiUrl: `${store.baseUrl}/api/`,
    teamId: TEAM_ID,
    botUserId: BOT_USER_ID,
    stop,
    setHttpEventsUrl: (url) => {
      dispatcher.httpEventsUrl = url;
      store.changed();
    },
    slashCommand: (input) => people.slashCommand(input),
    click: (input) => people.click(input),
    clickInView: (input) => people.clickInView(input),
    submitView: (input) => people.submitView(input),
    closeView: (input) => people.closeView(input),
    openHome: (user) => people.openHome(user),
    suggest: (input) => people.suggest(input),
    deliverRaw: (input) => dispatcher.deliverRaw(input),
    messages: (channel) => store.allMessages(channel).filter((message) => message.ephemeral_to === undefined),
    ephemerals: (user) => store.allMessages().filter((message) => message.ephemeral_to === user),
    openViews: (user) => modalsOf(store, user),
    home: (user) => store.views().find((view) => view.type === 'home' && view.user === user),
    calls: () => store.calls(),
    connections: () => sockets.connections,
    waitFor: (probe, options) => waitForChange(store, () => probe(workspace), options),
    faults: faultsOf(faults, dispatcher, sockets),
  };
  return workspace;
}

function faultsOf(faults: Faults, dispatcher: Dispatcher, sockets: SocketMode): SlackWorkspace['faults'] {
  return {
    rateLimitNext: (method, times, retryAfterS) => {
      faults.rateLimitNext(method, times, retryAfterS);
    },
    outage: (on) => {
      faults.isOut = on;
      dispatcher.isOut = on;
      if (on) sockets.disconnectAll('warning');
    },
    dropAnswer: (method, times) => {
      faults.dropAnswer(method, times);
    },
    disconnectSockets: () => {
      sockets.disconnectAll();
    },
    delayMs: (method, ms) => {
      faults.delayMs(method, ms);
    },
  };
}
