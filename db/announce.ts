import type { Tx } from './orm.ts';
import { enqueueOutbox } from './repositories/outbox.repository.ts';

/** Owes the channel the card in its new state, and a new message where somebody has to know. */
export async function tellSlack(tx: Tx, input: { actionId: string; isNotice?: boolean }): Promise<void> {
  await enqueueOutbox(tx, { kind: 'card', actionId: input.actionId });
  if (input.isNotice === true) await enqueueOutbox(tx, { kind: 'notice', actionId: input.actionId });
  tx.notify(OUTBOX_CHANNEL, 'due');
}

/** Owes one person a direct message, told by nobody else. `text` is plain: the bot escapes it. */
export async function tellPerson(
  tx: Tx,
  message: { actionId: string; slackUserId: string; text: string },
): Promise<void> {
  const payload = { slack_user_id: message.slackUserId, text: message.text };
  await enqueueOutbox(tx, { kind: 'private', actionId: message.actionId, payload });
  tx.notify(OUTBOX_CHANNEL, 'due');
}

/** LISTENed to by bot processes; only a hint, with a slow poll behind it. */
export const OUTBOX_CHANNEL = 'medic_outbox';
/** LISTENed to by API processes; the payload is the id of the server whose held heartbeat has something to fetch. */
export const WAKE_CHANNEL = 'medic_wake';
