import type { App, BlockAction, ButtonAction } from '@slack/bolt';
import { NotAllowedError } from '../../../domain/errors.ts';
import type { Asker } from '../../../domain/principal.ts';
import { recordRefusedAttempt } from '../../../services/slack/record-refused-attempt.ts';
import { BATCH_BLOCK, BATCH_BUTTONS, BATCH_EVENT_TYPE } from '../../blocks/names.ts';
import type { Message } from '../../blocks/message.ts';
import type { BotDeps } from '../../deps.ts';
import { callerOf, identify } from '../../identify.ts';
import { adoptCard } from '../../outbox/adopt-card.ts';
import { answer } from '../../tell.ts';
import { recordFirst } from '../record-first.ts';
import { approveAllClicked, rejectAllClicked, selectClicked } from './batch.ts';

/** A click on the card of a batch that is proven to be one. */
export interface BatchClick {
  deps: BotDeps;
  asker: Asker;
  userId: string;
  batchId: string;
  /** What stood on the card that was clicked, by its metadata. */
  actionIds: readonly string[];
  channel: string;
  triggerId: string;
}

export type BatchClickListener = (click: BatchClick) => Promise<Message | null>;

/** One line a button. */
const BATCH_CLICKS: Readonly<Record<(typeof BATCH_BUTTONS)[keyof typeof BATCH_BUTTONS], BatchClickListener>> = {
  [BATCH_BUTTONS.approve]: approveAllClicked,
  [BATCH_BUTTONS.select]: selectClicked,
  [BATCH_BUTTONS.reject]: rejectAllClicked,
};

/** Checks the click, and always answers. Acknowledges an approval of all when it is recorded, a form at once. */
export function listenToBatchButtons(app: App, deps: BotDeps): void {
  for (const [name, listener] of Object.entries(BATCH_CLICKS)) {
    app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: name }, async (args) => {
      const { body } = args;
      const isRecorded = name === BATCH_BUTTONS.approve;
      if (!isRecorded) await args.ack();
      const ack = isRecorded ? args.ack : () => Promise.resolve();
      const channel = body.channel?.id ?? deps.channel;
      const respond = body.response_url === undefined ? undefined : args.respond;
      const run = async (): Promise<Message | null> => {
        const asker = await identify(deps, callerOf(body), { tried: name });
        const batch = await readMetadata(deps, body, { tried: name, batchId: args.action.value ?? '' });
        await adopt(deps, body, batch.batchId);
        return listener({ deps, asker, userId: body.user.id, ...batch, channel, triggerId: body.trigger_id });
      };
      await answer(deps, { respond, channel, userId: body.user.id }, () => recordFirst({ ack, log: deps.log }, run));
    });
  }
}

/** Contract §7: the value is the batch of the message's metadata, which names the actions that stand on it. */
async function readMetadata(
  deps: BotDeps,
  body: BlockAction,
  click: { tried: string; batchId: string },
): Promise<{ batchId: string; actionIds: string[] }> {
  const metadata = body.message?.['metadata'] as { event_type?: unknown; event_payload?: unknown } | undefined;
  const payload = (metadata?.event_payload ?? {}) as { batch_id?: unknown; action_ids?: unknown };
  const { batch_id: batchId, action_ids: actionIds } = payload;
  const isOurs = metadata?.event_type === BATCH_EVENT_TYPE && batchId === click.batchId && click.batchId !== '';
  if (isOurs && Array.isArray(actionIds)) {
    return { batchId: click.batchId, actionIds: actionIds.filter((id) => typeof id === 'string') };
  }
  await recordRefusedAttempt(deps.ctx, { slackUserId: body.user.id, code: 'forged_click', tried: click.tried });
  throw new NotAllowedError('This button does not belong to the message it stands on, so nothing was done.', {
    code: 'forged_click',
  });
}

/** A card whose post was never confirmed is found again by the click on it. */
async function adopt(deps: BotDeps, body: BlockAction, batchId: string): Promise<void> {
  const blocks = body.message?.['blocks'] as { block_id?: string }[] | undefined;
  if (body.message === undefined || blocks?.[0]?.block_id !== BATCH_BLOCK) return;
  await adoptCard(deps, { batchId, channel: body.channel?.id ?? deps.channel, ts: body.message.ts });
}
