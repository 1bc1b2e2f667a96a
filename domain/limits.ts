import { matchesGlob } from './glob.ts';

/** What may be asked for and run at once: `limits:` of medic.yaml. */
export interface Limits {
  /** Actions that wait, for a person or for their start, in all and on one server. */
  waiting: number;
  waitingPerServer: number;
  /** Requests for actions by one principal within a minute, through every way in. */
  requestsPerMinute: number;
  /** Calls of one server's agent within a minute, to each API process. */
  heartbeatsPerMinute: number;
  /** The first that matches the playbook says how long it rests on a server after a run there; none: not at all. */
  cooldowns: readonly Cooldown[];
  /** The first that matches the playbook says after how many failures in a row it is held back on a server. */
  holdBacks: readonly HoldBackRule[];
  /** Of the parameters of one request, as JSON. */
  paramsBytes: number;
  /** Of each stream of output, as it is stored and shown. */
  outputBytes: number;
  /** Of one request over HTTP, agents' and Slack's aside. */
  bodyBytes: number;
  /** Actions that an agent holds at one moment, over all servers. */
  executing: number;
  /** Servers of one tag whose agent holds an action, in percent of them; always at least one. */
  executingPerTag: number;
}

export interface Cooldown {
  /** With `*`. */
  playbook: string;
  ms: number;
}

export interface HoldBackRule {
  /** With `*`. */
  playbook: string;
  /** 0: never. */
  failures: number;
}

const KIB = 1024;

/** Where `limits` says nothing. */
export const DEFAULT_LIMITS: Limits = {
  waiting: 10_000, // counted in a millisecond
  waitingPerServer: 100, // more would not be started within start_within
  requestsPerMinute: 600, // ten a second: more than people, less than a script that runs wild
  heartbeatsPerMinute: 1_200, // twenty a second: an agent in its busiest minute makes a few
  cooldowns: [],
  holdBacks: [{ playbook: '*', failures: 10 }], // what failed ten times in a row will not help the eleventh time
  paramsBytes: 8 * KIB, // three times what a card can show
  outputBytes: 64 * KIB, // all that an agent keeps
  bodyBytes: 64 * KIB, // the contract's own limit
  executing: 100,
  executingPerTag: 10,
};

/** Why an approved action whose turn it is on its server is not handed out yet. `action`: the failure to deal with. */
export type Hold =
  | { code: 'fleet_limit'; limit: number }
  | { code: 'tag_share'; tag: string; limit: number; servers: number }
  | { code: 'held_back'; failures: number; action: string };

/** What runs now, as far as one server's next start is concerned. */
export interface Use {
  executing: number;
  /** Each tag of that server. */
  tags: readonly { tag: string; servers: number; executing: number }[];
}

/** Null where one more may start. */
export function findHold(limits: Limits, use: Use): Hold | null {
  if (use.executing >= limits.executing) return { code: 'fleet_limit', limit: limits.executing };
  for (const { tag, servers, executing } of use.tags) {
    const limit = shareOf(servers, limits.executingPerTag);
    if (executing >= limit) return { code: 'tag_share', tag, limit, servers };
  }
  return null;
}

/** Rounded down, but one may always run: else a small group could never be repaired. */
export function shareOf(servers: number, percent: number): number {
  return Math.max(1, Math.floor((servers * percent) / 100));
}

/** How long this playbook rests on a server after a run there; 0 where it need not. */
export function cooldownOf(limits: Limits, playbook: string): number {
  return limits.cooldowns.find((cooldown) => matchesGlob(cooldown.playbook, playbook))?.ms ?? 0;
}

/** After how many failures in a row this playbook is held back on a server; 0: never. */
export function holdBackAfter(limits: Limits, playbook: string): number {
  return limits.holdBacks.find((rule) => matchesGlob(rule.playbook, playbook))?.failures ?? 0;
}

/** As the rest of a sentence that begins with "It waits": what is full. */
export function describeHold(hold: Hold): string {
  switch (hold.code) {
    case 'fleet_limit':
      return `because ${hold.limit} ${plural('action', hold.limit)} at once is all that may run over the fleet`;
    case 'tag_share':
      return `because ${hold.limit} of the ${hold.servers} ${plural('server', hold.servers)} tagged ${hold.tag} ${hold.limit === 1 ? 'is' : 'are'} all that may run something at once`;
    case 'held_back':
      return `until somebody replays or dismisses ${hold.action.slice(0, 8)}, as its playbook has failed here ${timesInRow(hold.failures)}`;
  }
}

/** `once`, `10 times in a row`. */
export function timesInRow(count: number): string {
  return count === 1 ? 'once' : `${count} times in a row`;
}

function plural(noun: string, count: number): string {
  return count === 1 ? noun : `${noun}s`;
}
