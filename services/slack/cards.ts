import { OUTBOX_CHANNEL } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import { updateAction } from '../../db/repositories/action.repository.ts';
import { enqueueOutbox } from '../../db/repositories/outbox.repository.ts';
import type { ActionView } from '../actions/action-view.ts';
import { findActionView } from '../actions/read-actions.ts';
import type { Context } from '../context.ts';

/*
 * The card of an action, in the action's row:
 *   no channel            never posted
 *   channel, no ts        a post was begun and its answer is not known: look for it before posting again
 *   channel and ts        posted
 */

/** The action as it stands now; null where there is none. */
export function readCard(ctx: Context, actionId: string): Promise<ActionView | null> {
  return findActionView(ctx, actionId);
}

/** Notes that a post begins, so that one whose answer is lost is looked for. */
export function noteCardIntent(ctx: Context, input: { actionId: string; channel: string }): Promise<void> {
  return set(ctx, input.actionId, { slack_channel: input.channel, slack_ts: null, slack_permalink: null });
}

export function saveCard(
  ctx: Context,
  input: { actionId: string; channel: string; ts: string; permalink: string | null },
): Promise<void> {
  const { actionId, channel, ts, permalink } = input;
  return set(ctx, actionId, { slack_channel: channel, slack_ts: ts, slack_permalink: permalink });
}

/** The card is known not to stand in Slack: it was refused, or somebody deleted it. */
export function forgetCard(ctx: Context, actionId: string): Promise<void> {
  return set(ctx, actionId, { slack_channel: null, slack_ts: null, slack_permalink: null });
}

/** The message that replies to this action belong under: its card, or its batch's. Null where none stands. */
export async function findThread(ctx: Context, actionId: string): Promise<{ channel: string; ts: string } | null> {
  const row = await ctx.database.kysely
    .selectFrom('actions')
    .leftJoin('action_batches', 'action_batches.id', 'actions.batch_id')
    .select(({ fn }) => [
      fn.coalesce('actions.slack_channel', 'action_batches.slack_channel').as('channel'),
      fn.coalesce('actions.slack_ts', 'action_batches.slack_ts').as('ts'),
    ])
    .where('actions.id', '=', actionId)
    .executeTakeFirst();
  if (row === undefined || row.channel === null || row.ts === null) return null;
  return { channel: row.channel, ts: row.ts };
}

/** Owes Slack the card in its present state. */
export async function refreshCard(ctx: Context, actionId: string): Promise<void> {
  await transact(ctx.database, async (tx) => {
    await enqueueOutbox(tx, { kind: 'card', actionId });
    tx.notify(OUTBOX_CHANNEL, 'due');
  });
}

async function set(
  ctx: Context,
  actionId: string,
  card: { slack_channel: string | null; slack_ts: string | null; slack_permalink: string | null },
): Promise<void> {
  await transact(ctx.database, (tx) => updateAction(tx, actionId, card));
}
