/*
 * Where a card stands, in the row of its action or of its batch:
 *   no channel            never posted
 *   channel, no ts        a post was begun and its answer is not known: look for it before posting again
 *   channel and ts        posted
 */

export interface CardPlace {
  slack_channel: string | null;
  slack_ts: string | null;
  slack_permalink: string | null;
}

/** A message that stands in Slack; without its permalink only the link to it is missing. */
export interface StandingMessage {
  channel: string;
  ts: string;
  permalink: string | null;
}

export const NOWHERE: CardPlace = { slack_channel: null, slack_ts: null, slack_permalink: null };

export function begunIn(channel: string): CardPlace {
  return { ...NOWHERE, slack_channel: channel };
}

export function standingAt({ channel, ts, permalink }: StandingMessage): CardPlace {
  return { slack_channel: channel, slack_ts: ts, slack_permalink: permalink };
}
