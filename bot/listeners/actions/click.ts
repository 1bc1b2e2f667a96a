import type { App, BlockAction, ButtonAction, OverflowAction, RespondFn } from '@slack/bolt';
import { NotAllowedError } from '../../../domain/errors.ts';
import type { Asker } from '../../../domain/principal.ts';
import { recordRefusedAttempt } from '../../../services/slack/record-refused-attempt.ts';
import { CARD_BLOCK, EVENT_TYPE, MENU, readMenuValue } from '../../blocks/names.ts';
import type { MenuWord } from '../../blocks/names.ts';
import type { Message } from '../../blocks/message.ts';
import type { BotDeps } from '../../deps.ts';
import { identify } from '../../identify.ts';
import { adoptCard } from '../../outbox/adopt-card.ts';
import { answer } from '../../tell.ts';

/** A click that is proven to be one: on our message, for its own action, by one of our people. */
export interface Click {
  deps: BotDeps;
  asker: Asker;
  userId: string;
  actionId: string;
  channel: string;
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
  const { actionId, listener } = used;
  const channel = body.channel?.id ?? deps.channel;
  const respond = body.response_url === undefined ? undefined : click.respond;
  return answer(deps, { respond, channel, userId: body.user.id }, async () => {
    const tried = { tried: used.tried, ...(isId(actionId) ? { actionId } : {}) };
    const teamIds = [body.team?.id, body.user.team_id];
    const asker = await identify(deps, { userId: body.user.id, teamIds }, tried);
    await checkMessage(deps, body, used);
    await adopt(deps, body, actionId);
    return listener({ deps, asker, userId: body.user.id, actionId, channel, triggerId: body.trigger_id });
  });
}

/** Contract §7: a click counts only if its value is the action of the metadata of the message it was made on. */
async function checkMessage(
  deps: BotDeps,
  body: BlockAction,
  click: { actionId: string; tried: string },
): Promise<void> {
  const metadata = readMetadata(body);
  if (metadata?.actionId === click.actionId && click.actionId !== '') return;
  await recordRefusedAttempt(deps.ctx, { slackUserId: body.user.id, code: 'forged_click', tried: click.tried });
  throw new NotAllowedError('This button does not belong to the message it stands on, so nothing was done.', {
    code: 'forged_click',
  });
}

function readMetadata(body: BlockAction): { actionId: unknown } | null {
  const metadata = body.message?.['metadata'] as { event_type?: unknown; event_payload?: unknown } | undefined;
  if (metadata?.event_type !== EVENT_TYPE || typeof metadata.event_payload !== 'object') return null;
  return { actionId: (metadata.event_payload as { action_id?: unknown } | null)?.action_id };
}

/** A card whose post was never confirmed is found again by the click on it. */
async function adopt(deps: BotDeps, body: BlockAction, actionId: string): Promise<void> {
  const blocks = body.message?.['blocks'] as { block_id?: string }[] | undefined;
  if (body.message === undefined || blocks?.[0]?.block_id !== CARD_BLOCK) return;
  await adoptCard(deps, { actionId, channel: body.channel?.id ?? deps.channel, ts: body.message.ts });
}

function isId(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text);
}
