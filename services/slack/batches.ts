import { OUTBOX_CHANNEL } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import { findBatch, findBatchIdOf, listBatchActions, updateBatch } from '../../db/repositories/batch.repository.ts';
import { enqueueBatch } from '../../db/repositories/outbox.repository.ts';
import type { ActionView } from '../actions/action-view.ts';
import { toActionView } from '../actions/action-view.ts';
import type { Context } from '../context.ts';
import type { CardPlace, StandingMessage } from './card-place.ts';
import { begunIn, NOWHERE, standingAt } from './card-place.ts';

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
  const batchId = await findBatchIdOf(ctx.database, actionId);
  return batchId === null ? null : readBatch(ctx, batchId);
}

/** Notes that a post begins, so that one whose answer is lost is looked for. */
export function noteBatchIntent(ctx: Context, input: { batchId: string; channel: string }): Promise<void> {
  return set(ctx, input.batchId, begunIn(input.channel));
}

export function saveBatchCard(ctx: Context, input: { batchId: string } & StandingMessage): Promise<void> {
  return set(ctx, input.batchId, standingAt(input));
}

/** The card is known not to stand in Slack: it was refused, or somebody deleted it. */
export function forgetBatchCard(ctx: Context, batchId: string): Promise<void> {
  return set(ctx, batchId, NOWHERE);
}

/** Owes Slack the batch's card in its present state. */
export async function refreshBatchCard(ctx: Context, batchId: string): Promise<void> {
  await transact(ctx.database, 'batch.owe_card', async (tx) => {
    await enqueueBatch(tx, batchId);
    tx.notify(OUTBOX_CHANNEL, 'due');
  });
}

async function set(ctx: Context, batchId: string, place: CardPlace): Promise<void> {
  await transact(ctx.database, 'batch.save_card', (tx) => updateBatch(tx, batchId, place));
}
