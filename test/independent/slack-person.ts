import { createHmac, randomUUID } from 'node:crypto';
import { exchange } from './http-exchange.ts';
import type { Answer, Json } from './http-exchange.ts';
import { APP, asSlackMessage, CHANNEL, TEAM } from './slack-stand-in.ts';
import type { SlackMessage, SlackStandIn } from './slack-stand-in.ts';

export interface SlackWire {
  eventsUrl: string;
  signingSecret: string;
  slack: SlackStandIn;
}

/** How a request departs from a genuine one. */
export interface Forgery {
  /** Seconds to add to the timestamp that is signed. */
  skewS?: number;
  secret?: string;
  /** Appended to the body after it was signed. */
  tampering?: string;
  team?: string;
}

/** A person of the workspace: what they type and click arrives at the control plane as Slack would send it. */
export interface SlackPerson {
  id: string;
  type(text: string, input?: Forgery & { triggerId?: string }): Promise<Answer>;
  click(
    message: SlackMessage,
    actionId: string,
    input?: Forgery & { value?: string; shownMetadata?: Json },
  ): Promise<Answer>;
  submit(view: Json, values: Json): Promise<Answer>;
  /** All that only this person was shown so far, ack bodies included. */
  seen(): string;
}

export function createSlackPerson(wire: SlackWire, id: string): SlackPerson {
  const acks: string[] = [];
  async function send(fields: Record<string, string>, forgery: Forgery = {}): Promise<Answer> {
    const answer = await sendSigned(wire, new URLSearchParams(fields).toString(), forgery);
    acks.push(answer.text);
    return answer;
  }
  const interact = (payload: Json, forgery?: Forgery) => send({ payload: JSON.stringify(payload) }, forgery);
  return {
    id,
    type: (text, input) => send(commandFields(wire, id, text, input), input),
    click: (message, actionId, input) => interact(clickPayload({ wire, id, message, actionId, ...input }), input),
    submit: (view, values) =>
      interact({ type: 'view_submission', ...persona(id), view: { ...view, state: { values } }, response_urls: [] }),
    seen: () => [...acks, ...wire.slack.privateAnswers(id)].join('\n'),
  };
}

function commandFields(wire: SlackWire, id: string, text: string, input: Forgery & { triggerId?: string } = {}) {
  return {
    token: 'legacy',
    team_id: input.team ?? TEAM,
    team_domain: 'ours',
    channel_id: CHANNEL,
    channel_name: 'medic',
    user_id: id,
    user_name: id.toLowerCase(),
    command: '/remediate',
    text,
    api_app_id: APP,
    is_enterprise_install: 'false',
    response_url: wire.slack.responseUrl(id),
    trigger_id: input.triggerId ?? randomUUID(),
  };
}

interface Click extends Forgery {
  wire: SlackWire;
  id: string;
  message: SlackMessage;
  actionId: string;
  value?: string;
  shownMetadata?: Json;
}

function clickPayload(click: Click): Json {
  const { message } = click;
  const button = buttonsOf(message).find((candidate) => candidate.action_id === click.actionId) ?? {};
  const shown = asSlackMessage(message);
  return {
    type: 'block_actions',
    ...persona(click.id, click.team),
    container: { type: 'message', message_ts: message.ts, channel_id: message.channel, is_ephemeral: false },
    channel: { id: message.channel, name: 'medic' },
    message: { ...shown, metadata: click.shownMetadata ?? shown.metadata },
    state: { values: {} },
    response_url: click.wire.slack.responseUrl(click.id),
    actions: [
      {
        type: 'button',
        block_id: 'b',
        text: { type: 'plain_text', text: 'button' },
        ...button,
        action_id: click.actionId,
        value: click.value ?? button.value,
        action_ts: String(Date.now() / 1000),
      },
    ],
  };
}

function persona(id: string, team: string = TEAM): Json {
  return {
    user: { id, username: id.toLowerCase(), name: id.toLowerCase(), team_id: team },
    team: { id: team, domain: 'ours' },
    api_app_id: APP,
    token: 'legacy',
    trigger_id: randomUUID(),
    enterprise: null,
    is_enterprise_install: false,
  };
}

/** Every button that stands anywhere in the message's blocks. */
export function buttonsOf(message: SlackMessage): Json[] {
  const found: Json[] = [];
  JSON.stringify(message.blocks, (_key, value: Json) => {
    if (value?.type === 'button') found.push(value);
    return value as unknown;
  });
  return found;
}

/** One request as Slack signs it: v0, HMAC-SHA256 over version, timestamp and raw body. */
export function sendSigned(wire: SlackWire, body: string, forgery: Forgery, contentType?: string): Promise<Answer> {
  const timestamp = String(Math.floor(Date.now() / 1000) + (forgery.skewS ?? 0));
  const mac = createHmac('sha256', forgery.secret ?? wire.signingSecret).update(`v0:${timestamp}:${body}`);
  return exchange({
    method: 'POST',
    url: wire.eventsUrl,
    headers: {
      'content-type': contentType ?? 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${mac.digest('hex')}`,
    },
    body: body + (forgery.tampering ?? ''),
  });
}
