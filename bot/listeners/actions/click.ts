import type { App, BlockAction, ButtonAction, OverflowAction, RespondFn } from '@slack/bolt';
import type { Asker } from '../../../domain/principal.ts';
import { MENU, readMenuValue } from '../../blocks/names.ts';
import type { MenuWord } from '../../blocks/names.ts';
import type { Message } from '../../blocks/message.ts';
import type { BotDeps } from '../../deps.ts';
import { publishHome } from '../../homes.ts';
import { callerOf, identify } from '../../identify.ts';
import { answer } from '../../tell.ts';
import { recordFirst } from '../record-first.ts';
import { adoptClicked, checkOrigin, isHome } from './origin.ts';

/** A click that is proven to be one: on our message or Home, for what stands there, by one of our people. */
export interface Click {
  deps: BotDeps;
  asker: Asker;
  userId: string;
  /** What the button's value names. */
  actionId: string;
  /** Where its message stands; null on Home. */
  channel: string | null;
  triggerId: string;
  /** To be called where the click is on record before its answer is known. */
  onRecorded: () => void;
}

export type ClickListener = (click: Click) => Promise<Message | null>;

/** What an element says when it is used. */
type Used = { actionId: string; tried: string; listener: ClickListener };

/**
 * Listens to one button; checks the click, and always answers. Acknowledges at once where the click changes nothing by
 * itself, else when it is recorded.
 */
export function listenToButton(
  app: App,
  deps: BotDeps,
  button: { name: string; listener: ClickListener; isRecorded: boolean },
): void {
  const { name: tried, listener, isRecorded } = button;
  app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: tried }, async (args) => {
    if (!isRecorded) await args.ack();
    const ack = isRecorded ? args.ack : undefined;
    const used = { actionId: args.action.value ?? '', tried, listener };
    await answerClick({ deps, body: args.body, respond: args.respond, used, ack });
  });
}

/** Listens to the card's menu, in the same way; none of it changes anything by itself. */
export function listenToMenu(app: App, deps: BotDeps, words: Readonly<Record<MenuWord, ClickListener>>): void {
  app.action<BlockAction<OverflowAction>>({ type: 'block_actions', action_id: MENU }, async (args) => {
    await args.ack();
    const chosen = readMenuValue(args.action.selected_option.value);
    const used: Used =
      chosen === null
        ? { actionId: '', tried: MENU, listener: () => Promise.resolve(null) }
        : { actionId: chosen.actionId, tried: `${MENU} ${chosen.word}`, listener: words[chosen.word] };
    await answerClick({ deps, body: args.body, respond: args.respond, used });
  });
}

interface ToAnswer {
  deps: BotDeps;
  body: BlockAction;
  respond: RespondFn;
  used: Used;
  /** Absent: it is acknowledged. */
  ack?: (() => Promise<void>) | undefined;
}

function answerClick(click: ToAnswer): Promise<void> {
  const { deps, body, ack = () => Promise.resolve() } = click;
  const channel = isHome(body) ? null : (body.channel?.id ?? deps.channel);
  const respond = body.response_url === undefined ? undefined : click.respond;
  return answer(deps, { respond, channel, userId: body.user.id }, () =>
    recordFirst({ ack, log: deps.log }, (onRecorded) => runClick(click, { channel, onRecorded })),
  );
}

async function runClick(
  { deps, body, used }: ToAnswer,
  { channel, onRecorded }: Pick<Click, 'channel' | 'onRecorded'>,
): Promise<Message | null> {
  const { actionId, tried, listener } = used;
  const userId = body.user.id;
  const asker = await identify(deps, callerOf(body), { tried, ...(isId(actionId) ? { actionId } : {}) });
  await checkOrigin(deps, body, { id: actionId, tried });
  await adoptClicked(deps, body, actionId);
  try {
    return await listener({ deps, asker, userId, actionId, channel, triggerId: body.trigger_id, onRecorded });
  } finally {
    if (channel === null) redrawHome(deps, { userId, asker });
  }
}

/** At once, and beside the answer: the person sees what their click has changed. The pump draws what fails here. */
function redrawHome(deps: BotDeps, { userId, asker }: { userId: string; asker: Asker }): void {
  publishHome(deps, { slackUserId: userId, asker }).catch((error: unknown) => {
    deps.log.warn({ err: error, user: userId }, 'a Home could not be drawn after a click');
  });
}

function isId(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text);
}
