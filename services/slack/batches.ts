import { OUTBOX_CHANNEL } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import { findBatch, listBatchActions, updateBatch } from '../../db/repositories/batch.repository.ts';
import { enqueueBatch } from '../../db/repositories/outbox.repository.ts';
import type { ActionView } from '../actions/action-view.ts';
import { toActionView } from '../actions/action-view.ts';
import type { Context } from '../context.ts';

/** Many requests of one playbook on one card, as they stand now. */
export interface BatchView {
  id: string;
  playbook: string;
  /** The sentence of the rule that holds for each of them. */
  rule: string;
  approvalsRequired: number;
  createdAt: Date;
  slackChannel: string | null;
  slackTs: string | null;
  /** Oldest first. */
  actions: ActionView[];
}

/** Null where there is none. */
export async function readBatch(ctx: Context, batchId: string): Promise<BatchView | null> {
  const batch = await findBatch(ctx.database, batchId);
  if (batch === null) return null;
  const actions = await listBatchActions(ctx.database, batchId);
  return {
    id: batch.id,
    playbook: batch.playbook,
    rule: batch.rule,
    approvalsRequired: batch.approvals_required,
    createdAt: batch.created_at,
    slackChannel: batch.slack_channel,
    slackTs: batch.slack_ts,
    actions: actions.map(toActionView),
  };
}

/** The batch that this action is in; null where it has a card of its own. */
export async function readBatchOf(ctx: Context, actionId: string): Promise<BatchView | null> {
  const row = await ctx.database.kysely
    .selectFrom('actions')
    .select('batch_id')
    .where('id', '=', actionId)
    .executeTakeFirst();
  return row === undefined || row.batch_id === null ? null : readBatch(ctx, row.batch_id);
}

/** Notes that a post begins, so that one whose answer is lost is looked for. */
export function noteBatchIntent(ctx: Context, input: { batchId: string; channel: string }): Promise<void> {
  return set(ctx, input.batchId, { slack_channel: input.channel, slack_ts: null, slack_permalink: null });
}

export function saveBatchCard(
  ctx: Context,
  input: { batchId: string; channel: string; ts: string; permalink: string | null },
): Promise<void> {
  const { batchId, channel, ts, permalink } = input;
  return set(ctx, batchId, { slack_channel: channel, slack_ts: ts, slack_permalink: permalink });
}

/** The card is known not to stand in Slack: it was refused, or somebody deleted it. */
export function forgetBatchCard(ctx: Context, batchId: string): Promise<void> {
  return set(ctx, batchId, { slack_channel: null, slack_ts: null, slack_permalink: null });
}

/** Owes Slack the batch's card in its present state. */
export async function refreshBatchCard(ctx: Context, batchId: string): Promise<void> {
  await transact(ctx.database, async (tx) => {
    await enqueueBatch(tx, batchId);
    tx.notify(OUTBOX_CHANNEL, 'due');
  });
}

async function set(
  ctx: Context,
  batchId: string,
  card: { slack_channel: string | null; slack_ts: string | null; slack_permalink: string | null },
): Promise<void> {
  await transact(ctx.database, (tx) => updateBatch(tx, batchId, card));
}
