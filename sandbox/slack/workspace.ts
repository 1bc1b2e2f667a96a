import { readManifest } from './app-manifest.ts';
import { Dispatcher } from './delivery/dispatcher.ts';
import { ResponseUrls } from './delivery/response-urls.ts';
import { SocketMode } from './delivery/socket-mode.ts';
import { Triggers } from './delivery/triggers.ts';
import { BOT_USER_ID, TEAM_ID } from './model.ts';
import { closeServer, openServer } from './page/server.ts';
import type { PageRoutes } from './page/server.ts';
import { PageRouter } from './page/routes.ts';
import { People } from './people.ts';
import { Store } from './store.ts';
import { waitForChange } from './waiting.ts';
import { WebApiEndpoint } from './web-api/endpoint.ts';
import { Faults } from './web-api/faults.ts';
import { RateLimits } from './web-api/rate-limits.ts';
import { modalsOf } from './web-api/views.ts';
import type { SlackWorkspace, SlackWorkspaceOptions } from './workspace-interface.ts';

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
export type { SlackWorkspace, SlackWorkspaceOptions } from './workspace-interface.ts';

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
  limits: RateLimits;
}

function build(options: SlackWorkspaceOptions): Parts {
  const { signingSecret, httpEventsUrl, sidePanel, completions, appToken, botToken } = options;
  const app = options.manifest === undefined ? undefined : readManifest(options.manifest);
  const store = new Store(options);
  const triggers = new Triggers();
  const faults = new Faults();
  const limits = new RateLimits(options.enforceRateLimits ?? false);
  const responseUrls = new ResponseUrls(store);
  const sockets = new SocketMode(() => {
    store.changed();
  });
  const dispatcher = new Dispatcher({ sockets, signingSecret, httpEventsUrl });
  const people = new People({ store, dispatcher, triggers, responseUrls, app });
  const isConnected = (): boolean => Boolean(dispatcher.httpEventsUrl) || sockets.connections > 0;
  const shortcuts = app?.shortcuts ?? [];
  const router = new PageRouter({ store, people, sidePanel, completions, isConnected, shortcuts });
  const socketUrl = (): string => `${store.baseUrl.replace('http:', 'ws:')}/link?ticket=${sockets.ticket()}`;
  const scopes = options.scopes ?? app?.scopes;
  const endpoint = new WebApiEndpoint({ store, triggers, faults, socketUrl, botToken, appToken, scopes, limits });
  return { store, faults, responseUrls, sockets, dispatcher, people, router, endpoint, limits };
}

function routesOf({ endpoint, faults, responseUrls, router, sockets, store }: Parts): PageRoutes {
  return {
    api: (request, response, method) => endpoint.handle(request, response, method),
    respond: (id, body) => (faults.isOut ? { status: 503, body: { ok: false } } : responseUrls.use(id, body)),
    upload: (id, bytes) => (faults.isOut ? { status: 503, text: 'away' } : store.uploads.receive(id, bytes)),
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

function assemble(parts: Parts, stop: () => Promise<void>): SlackWorkspace {
  const { store, people, dispatcher, sockets, limits } = parts;
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
    shortcut: (input) => people.shortcut(input),
    messageShortcut: (input) => people.messageShortcut(input),
    say: (input) => people.say(input),
    click: (input) => people.click(input),
    clickInView: (input) => people.clickInView(input),
    submitView: (input) => people.submitView(input),
    closeView: (input) => people.closeView(input),
    openHome: (user) => people.openHome(user),
    suggest: (input) => people.suggest(input),
    deliverRaw: (input) => dispatcher.deliverRaw(input),
    deliver: ({ kind, payload, connection }) => dispatcher.deliver(kind, payload, connection),
    delivered: () => dispatcher.delivered(),
    messages: (channel) => store.allMessages(channel).filter((message) => message.ephemeral_to === undefined),
    thread: (channel, ts) => store.allMessages(channel).filter((one) => one.thread_ts === ts && one.ts !== ts),
    directMessages: (user) => store.allMessages(store.openIm(user).id),
    fileText: (id) => store.uploads.find(id)?.text,
    ephemerals: (user) => store.allMessages().filter((message) => message.ephemeral_to === user),
    openViews: (user) => modalsOf(store, user),
    home: (user) => store.views().find((view) => view.type === 'home' && view.user === user),
    calls: () => store.calls(),
    connections: () => sockets.connections,
    changePerson: (id, change) => {
      const person = store.people.get(id);
      if (person === undefined) throw new Error(`There is no person ${id} in this workspace.`);
      store.people.set(id, { ...person, ...change });
    },
    setUsergroups: (groups) => {
      store.setUsergroups(groups);
    },
    setChannel: (channel) => {
      store.setChannel(channel);
    },
    limitRates: (on) => {
      limits.isOn = on;
    },
    waitFor: (probe, options) => waitForChange(store, () => probe(workspace), options),
    faults: faultsOf(parts),
  };
  return workspace;
}

function faultsOf({ faults, dispatcher, sockets }: Parts): SlackWorkspace['faults'] {
  return {
    rateLimitNext: (method, times, retryAfterS) => {
      faults.rateLimitNext(method, times, retryAfterS);
    },
    refuseNext: (method, times, code) => {
      faults.refuseNext(method, times, code);
    },
    outage: (on) => {
      faults.isOut = on;
      dispatcher.isOut = on;
      if (on) sockets.disconnectAll('warning');
    },
    clockAheadS: (seconds) => {
      faults.clockAheadS = seconds;
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
