import type { HaltReach } from '../domain/halt.ts';
import type { Tx } from './orm.ts';
import { findCommandOfAction } from './repositories/command.repository.ts';
import { enqueueOutbox, isBatchReminded } from './repositories/outbox.repository.ts';
import { listOpen, listQueued } from './repositories/queue.repository.ts';
import type { Row } from './tables.ts';

const QUEUE_CARDS = 20; // those further back are told once they come nearer
const SERVER_CARDS = 50; // of the newest; the others say it when they next change

/**
 * Owes the channel the card in its new state, and a new message where somebody has to know. `isProgress`: nobody waits
 * for the change, so it goes after all that decides or ends something.
 */
export async function tellSlack(
  tx: Tx,
  input: { actionId: string; isNotice?: boolean; isProgress?: boolean },
): Promise<void> {
  const { actionId, isProgress = false } = input;
  await enqueueOutbox(tx, { kind: 'card', actionId, isProgress });
  if (input.isNotice === true) await enqueueOutbox(tx, { kind: 'notice', actionId: input.actionId });
  tx.notify(OUTBOX_CHANNEL, 'due');
}

/**
 * Owes all that the end of an action calls for: its card, the notice where somebody has to know, the cards of those
 * that waited behind it, and the outcome to its requester. In the transaction of the end, and so once: no transition
 * leaves an end. `action` is the row as it ended.
 */
export async function tellEnd(tx: Tx, input: { action: Row<'actions'>; isNotice?: boolean }): Promise<void> {
  const { action, isNotice = false } = input;
  await tellSlack(tx, { actionId: action.id, isNotice });
  if (action.approved_at !== null) await tellQueue(tx, action.server_id);
  if (await isOutcomeKnown(tx, action)) return;
  const payload = { outcome_for: action.requested_by };
  await enqueueOutbox(tx, { kind: 'private', actionId: action.id, payload });
}

/** Owes anew the cards of what waits for this server: it has become free for them. */
export async function tellQueue(tx: Tx, serverId: string): Promise<void> {
  const waiting = await listQueued(tx, { serverId, limit: QUEUE_CARDS });
  for (const actionId of waiting) await tellSlack(tx, { actionId, isProgress: true });
}

const TOLD_WITH_THEIR_CAUSE: readonly string[] = ['server_paused', 'halted', 'frozen'];

/**
 * To the requester: who withdrew it themselves knows, and a pause or the end of a halt tells of what was never handed out
 * in its own transaction.
 */
async function isOutcomeKnown(tx: Tx, action: Row<'actions'>): Promise<boolean> {
  if (action.status !== 'cancelled') return false;
  if (action.cancelled_by === action.requested_by) return true;
  if (!TOLD_WITH_THEIR_CAUSE.includes(action.failure_code ?? '')) return false;
  return (await findCommandOfAction(tx, action.id)) === null;
}

/**
 * Owes what one step of a ladder calls for: a reminder in the thread, or a direct message to each of these people; and
 * the card, which may be decided by more people now. The thread of a batch is reminded once a step, not by each of its
 * actions. The messages are drawn, and the right to decide judged again, when they are sent.
 */
export async function tellStep(
  tx: Tx,
  input: { actionId: string; step: number; isReminder: boolean; addressees: readonly string[] },
): Promise<void> {
  const { actionId, step } = input;
  await tellSlack(tx, { actionId }); // first: those of one batch wait here for each other
  if (input.isReminder && !(await isBatchReminded(tx, { actionId, step }))) {
    await enqueueOutbox(tx, { kind: 'reminder', actionId, payload: { step } });
  }
  for (const name of input.addressees) {
    await enqueueOutbox(tx, { kind: 'private', actionId, payload: { ask_of: name } });
  }
}

/** Owes anew the cards of what is open on this server: they say whether it is paused, by whom and why. */
export async function tellServerCards(tx: Tx, serverId: string): Promise<void> {
  const open = await listOpen(tx, { serverId, limit: SERVER_CARDS });
  for (const actionId of open) await tellSlack(tx, { actionId, isProgress: true });
}

/** Owes the channel one new message that is about no single action; its sender draws it from `about`. */
export async function tellChannel(tx: Tx, about: Readonly<Record<string, unknown>>): Promise<void> {
  await enqueueOutbox(tx, { kind: 'announcement', actionId: null, payload: about });
  tx.notify(OUTBOX_CHANNEL, 'due');
}

/** Owes one person a direct message, told by nobody else. `text` is plain: the bot escapes it. */
export async function tellPerson(
  tx: Tx,
  message: { actionId: string | null; slackUserId: string; text: string },
): Promise<void> {
  const payload = { slack_user_id: message.slackUserId, text: message.text };
  await enqueueOutbox(tx, { kind: 'private', actionId: message.actionId, payload });
  tx.notify(OUTBOX_CHANNEL, 'due');
}

/** LISTENed to by bot processes; only a hint, with a slow poll behind it. */
export const OUTBOX_CHANNEL = 'medic_outbox';
/** LISTENed to by API processes; the payload is the id of the server whose held heartbeat has something to fetch. */
export const WAKE_CHANNEL = 'medic_wake';
/** In place of one server’s id: what is news to all of them. With a tag behind TAGGED, to those that bear it. */
export const ALL_SERVERS = '*';
const TAGGED = '#'; // neither an id nor a tag begins with it

/**
 * Wakes the held heartbeats that a halt or its end is news to. A frozen playbook is none: agents are not told of it, and
 * neither its freeze nor its end lets anything start.
 */
export function wakeCovered(tx: Tx, { scope, value }: HaltReach): void {
  if (scope === 'all') tx.notify(WAKE_CHANNEL, ALL_SERVERS);
  if (scope === 'tag') tx.notify(WAKE_CHANNEL, `${TAGGED}${value ?? ''}`);
}

/** Whether a payload of WAKE_CHANNEL is meant for all, or all with one of these tags; null: they are not known yet. */
export function isForMany(payload: string, tags: readonly string[] | null): boolean {
  if (payload === ALL_SERVERS) return true;
  return payload.startsWith(TAGGED) && (tags?.includes(payload.slice(TAGGED.length)) ?? true);
}
