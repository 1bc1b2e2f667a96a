/** What a run leaves behind: all that the checker is told. */
export interface Evidence {
  /** The exported audit log, a line an event. */
  audit: readonly string[];
  /** The agents' journals, each as it lies on its server's disk. */
  journals: readonly { name: string; lines: readonly string[] }[];
  /** What the cards in Slack showed last. */
  slack?: readonly Shown[];
  /** The states of the rows. */
  database?: readonly Shown[];
  /** What a person was told was done, or recorded. */
  clicks?: readonly Click[];
  /** What the processes say of themselves: the id of its command from each that was started as a first step. */
  processes?: readonly string[];
  /** What agents said and were told, each agent's heartbeats in their order, by the word of somebody on the line. */
  beats?: readonly HeardHeartbeat[];
  /** Checkpoints that were kept where nobody who writes the log can reach them; opened, so rightly signed. */
  witnesses?: readonly Checkpoint[];
  /** The actions that are still under way, when every other one must have ended and been told; missing: any may be. */
  underWay?: readonly string[];
  /** How much later than its bound something may end: as long as a part was away, and a little. */
  lateS?: number;
}

export interface HeardHeartbeat {
  agent: string;
  /** It says that it has heard of a halt. */
  isHalted: boolean;
  /** The commands that it says it has begun: those that run, and those whose results it brings. */
  begun: readonly string[];
  /** The answer, whether it arrived or not; null: there was none. */
  told: { isHalted: boolean; commands: number } | null;
}

/** How many events there were, and the hash of the last. */
export interface Checkpoint {
  count: number;
  head: string;
}

export interface Shown {
  action_id: string;
  status: string;
}

export interface Click {
  /** Of a pause or a halt there is none. */
  action_id?: string;
  kind: ClickKind;
  who: string;
  /** ISO 8601: when the answer came. */
  at: string;
  /** Where the click is known by its id, that very one must be in the log. */
  decision_id?: string;
}

export type ClickKind =
  'request' | 'approve' | 'reject' | 'cancel' | 'pause' | 'unpause' | 'halt' | 'unhalt' | 'replay' | 'dismiss';

export interface Violation {
  invariant: string;
  /** `audit:12`, or the name of another source with its line. */
  where: string;
  sentence: string;
}
