import type { Delivery } from './delivery/dispatcher.ts';
import type { PayloadKind, Tamper } from './delivery/signed-http.ts';
import type {
  DeliveryOutcome,
  Json,
  RecordedCall,
  SidePanel,
  SlackChannel,
  SlackPerson,
  SlackUsergroup,
  StoredMessage,
  StoredView,
} from './model.ts';
import type { Completion } from './page/routes.ts';
import type { ClickInput, MessageShortcutInput, SuggestionInput, ViewClickInput } from './people.ts';
import type { RateLimitSettings } from './web-api/rate-limits.ts';

export interface SlackWorkspaceOptions {
  /** 0 takes a free one. Bound to 127.0.0.1 only. */
  port: number;
  /** Keeps messages, channels, views and files over a restart; absent: in memory. */
  dataFile?: string;
  people?: SlackPerson[];
  channels?: SlackChannel[];
  /** Null: the workspace's plan has none. */
  usergroups?: SlackUsergroup[] | null;
  botToken: string;
  appToken?: string;
  signingSecret?: string;
  /** HTTP mode: where signed requests go. Absent: Socket Mode. */
  httpEventsUrl?: string;
  /**
   * The app as it was made: only its commands, shortcuts, events and scopes are there, and one that Slack would not take
   * is refused. Absent: all of them are.
   */
  manifest?: Json;
  /** The granted ones; absent: the manifest's, or all. */
  scopes?: string[];
  enforceRateLimits?: boolean | RateLimitSettings;
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
  /** A global shortcut; it carries no channel. */
  shortcut(input: { user: string; callbackId: string; triggerId?: string }): Promise<DeliveryOutcome>;
  messageShortcut(input: MessageShortcutInput): Promise<DeliveryOutcome>;
  /** An ordinary message of a person. */
  say(input: { user: string; channel: string; text: string }): StoredMessage;
  click(input: ClickInput): Promise<DeliveryOutcome>;
  clickInView(input: ViewClickInput): Promise<DeliveryOutcome>;
  submitView(input: {
    user: string;
    viewId: string;
    values: Record<string, Record<string, unknown>>;
  }): Promise<DeliveryOutcome>;
  closeView(input: { user: string; viewId: string }): Promise<DeliveryOutcome>;
  openHome(user: string): Promise<DeliveryOutcome>;
  /** What the app offers; `error` is `query_too_short` below the menu's `min_query_length`, else it is not asked. */
  suggest(input: SuggestionInput): Promise<DeliveryOutcome>;
  deliverRaw(input: {
    kind: PayloadKind;
    payload: Record<string, unknown>;
    tamper?: Tamper;
  }): Promise<{ status: number; body: string }>;
  /** Any payload, forged or played again; over Socket Mode to `connection`, counted from the oldest, else in turn. */
  deliver(input: Delivery & { connection?: number }): Promise<DeliveryOutcome>;
  /** Every payload sent so far, oldest first. */
  delivered(): Delivery[];
  messages(channel: string): StoredMessage[];
  /** The replies below a message. */
  thread(channel: string, ts: string): StoredMessage[];
  /** What stands in the conversation between that person and the app. */
  directMessages(user: string): StoredMessage[];
  /** What is in a file that was shared. */
  fileText(id: string): string | undefined;
  ephemerals(user: string): StoredMessage[];
  openViews(user: string): StoredView[];
  home(user: string): StoredView | undefined;
  calls(): RecordedCall[];
  /** How many Socket Mode connections the app holds. */
  connections(): number;
  /** Makes a guest of somebody, deactivates them, … */
  changePerson(id: string, change: Partial<SlackPerson>): void;
  /** Null: the plan has none (`plan_upgrade_required`). */
  setUsergroups(groups: SlackUsergroup[] | null): void;
  setChannel(channel: SlackChannel): void;
  /** Slack's limits: one post a second and channel after a short burst, 50 updates in any minute, … */
  limitRates(on: boolean): void;
  waitFor<T>(
    probe: (workspace: SlackWorkspace) => T | undefined | false,
    options?: { timeoutMs?: number; what?: string },
  ): Promise<T>;
  faults: {
    rateLimitNext(method: string, times: number, retryAfterS: number): void;
    /** `{ ok: false, error: code }`, and nothing is done. */
    refuseNext(method: string, times: number, code: string): void;
    outage(on: boolean): void;
    /** Slack's answers are dated so much later than this machine's clock. */
    clockAheadS(seconds: number): void;
    dropAnswer(method: string, times: number): void;
    disconnectSockets(): void;
    delayMs(method: string, ms: number): void;
  };
}
