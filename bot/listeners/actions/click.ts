import type { App, BlockAction, ButtonAction, OverflowAction, RespondFn } from '@slack/bolt';
import type { Asker } from '../../../domain/principal.ts';
import { MENU, readMenuValue } from '../../blocks/names.ts';
import type { MenuWord } from '../../blocks/names.ts';
import type { Message } from '../../blocks/message.ts';
import type { BotDeps } from '../../deps.ts';
import { publishHome } from '../../homes.ts';
import { identify } from '../../identify.ts';
import { answer } from '../../tell.ts';
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
}

export type ClickListener = (click: Click) => Promise<Message | null>;

/** What an element says when it is used. */
type Used = { actionId: string; tried: string; listener: ClickListener };

/** Listens to one button; acknowledges at once, checks the click, and always answers. */
export function listenToButton(app: App, deps: BotDeps, button: { name: string; listener: ClickListener }): void {
  app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: button.name }, async (args) => {
    await args.ack();
    const used = { actionId: args.action.value ?? '', tried: button.name, listener: button.listener };
    await answerClick({ deps, body: args.body, respond: args.respond, used });
  });
}

/** Listens to the card's menu, in the same way. */
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

function answerClick(click: { deps: BotDeps; body: BlockAction; respond: RespondFn; used: Used }): Promise<void> {
  const { deps, body, used } = click;
  const { actionId, tried } = used;
  const channel = isHome(body) ? null : (body.channel?.id ?? deps.channel);
  const respond = body.response_url === undefined ? undefined : click.respond;
  const userId = body.user.id;
  return answer(deps, { respond, channel, userId }, async () => {
    const attempt = { tried, ...(isId(actionId) ? { actionId } : {}) };
    const asker = await identify(deps, { userId, teamIds: [body.team?.id, body.user.team_id] }, attempt);
    await checkOrigin(deps, body, { id: actionId, tried });
    await adoptClicked(deps, body, actionId);
    try {
      return await used.listener({ deps, asker, userId, actionId, channel, triggerId: body.trigger_id });
    } finally {
      if (channel === null) redrawHome(deps, { userId, asker });
    }
  });
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
