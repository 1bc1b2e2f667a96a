import { OUTBOX_CHANNEL } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import { updateAction } from '../../db/repositories/action.repository.ts';
import { findStandingCard } from '../../db/repositories/batch.repository.ts';
import { enqueueOutbox } from '../../db/repositories/outbox.repository.ts';
import type { ActionView } from '../actions/action-view.ts';
import { findActionView } from '../actions/read-actions.ts';
import type { Context } from '../context.ts';
import type { CardPlace, StandingMessage } from './card-place.ts';
import { begunIn, NOWHERE, standingAt } from './card-place.ts';

/** The action as it stands now; null where there is none. */
export function readCard(ctx: Context, actionId: string): Promise<ActionView | null> {
  return findActionView(ctx, actionId);
}

/** Notes that a post begins, so that one whose answer is lost is looked for. */
export function noteCardIntent(ctx: Context, input: { actionId: string; channel: string }): Promise<void> {
  return set(ctx, input.actionId, begunIn(input.channel));
}

export function saveCard(ctx: Context, input: { actionId: string } & StandingMessage): Promise<void> {
  return set(ctx, input.actionId, standingAt(input));
}

/** The card is known not to stand in Slack: it was refused, or somebody deleted it. */
export function forgetCard(ctx: Context, actionId: string): Promise<void> {
  return set(ctx, actionId, NOWHERE);
}

/** The message that replies to this action belong under: its card, or its batch's. Null where none stands. */
export function findThread(ctx: Context, actionId: string): Promise<{ channel: string; ts: string } | null> {
  return findStandingCard(ctx.database, actionId);
}

/** Owes Slack the card in its present state. */
export async function refreshCard(ctx: Context, actionId: string): Promise<void> {
  await transact(ctx.database, 'card.owe', async (tx) => {
    await enqueueOutbox(tx, { kind: 'card', actionId });
    tx.notify(OUTBOX_CHANNEL, 'due');
  });
}

async function set(ctx: Context, actionId: string, place: CardPlace): Promise<void> {
  await transact(ctx.database, 'card.save', (tx) => updateAction(tx, actionId, place));
}
