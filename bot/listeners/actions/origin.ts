import type { BlockAction } from '@slack/bolt';
import { NotAllowedError } from '../../../domain/errors.ts';
import { recordRefusedAttempt } from '../../../services/slack/record-refused-attempt.ts';
import { CARD_BLOCK, EVENT_TYPE, HOME } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { adoptCard } from '../../outbox/adopt-card.ts';
import { openSeal } from '../../seal.ts';

/** What was clicked: the id that its value names, and the name of the button. */
export interface Clicked {
  id: string;
  tried: string;
}

/**
 * Contract §7: a click on a message counts only if its value is the action of that message's metadata, and one on Home
 * only if we published that view, with that value, to that person. Throws NotAllowedError `forged_click` or
 * `forged_form`, kept in the audit.
 */
export async function checkOrigin(deps: BotDeps, body: BlockAction, clicked: Clicked): Promise<void> {
  const ids = isHome(body) ? await readHomeIds(deps, body, clicked) : [readMetadata(body)?.actionId];
  if (clicked.id !== '' && ids.includes(clicked.id)) return;
  await recordRefusedAttempt(deps.ctx, { slackUserId: body.user.id, code: 'forged_click', tried: clicked.tried });
  throw new NotAllowedError('This button does not belong to the message it stands on, so nothing was done.', {
    code: 'forged_click',
  });
}

export function isHome(body: BlockAction): boolean {
  return body.view?.type === 'home' && body.message === undefined;
}

/** A card whose post was never confirmed is found again by the click on it. */
export async function adoptClicked(deps: BotDeps, body: BlockAction, actionId: string): Promise<void> {
  const blocks = body.message?.['blocks'] as { block_id?: string }[] | undefined;
  if (body.message === undefined || blocks?.[0]?.block_id !== CARD_BLOCK) return;
  await adoptCard(deps, { actionId, channel: body.channel?.id ?? deps.channel, ts: body.message.ts });
}

async function readHomeIds(deps: BotDeps, body: BlockAction, { tried }: Clicked): Promise<unknown[]> {
  const metadata = body.view?.private_metadata ?? '';
  const data = await openSeal(deps, { callbackId: HOME, userId: body.user.id, metadata, tried });
  const { ids } = data as { ids?: unknown };
  return Array.isArray(ids) ? ids : [];
}

function readMetadata(body: BlockAction): { actionId: unknown } | null {
  const metadata = body.message?.['metadata'] as { event_type?: unknown; event_payload?: unknown } | undefined;
  if (metadata?.event_type !== EVENT_TYPE || typeof metadata.event_payload !== 'object') return null;
  return { actionId: (metadata.event_payload as { action_id?: unknown } | null)?.action_id };
}
