import type { KnownBlock, MessageMetadata } from '@slack/types';
import { writeArgv } from '../../domain/argv-text.ts';
import { MAX_BATCH_STEPS } from '../../domain/batch-line.ts';
import { describeReach } from '../../domain/halt.ts';
import { isEnded } from '../../domain/lifecycle.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { BatchView } from '../../services/slack/batches.ts';
import { describeRow, drawHalts, drawPauses, isWaiting, wordOf } from './batch-rows.ts';
import type { Message } from './message.ts';
import { BATCH_BLOCK, BATCH_BUTTONS, BATCH_EVENT_TYPE } from './names.ts';
import { button, factsBlock, listBlock, MAX_SENTENCE, preformattedBlock, sentenceBlock, smallPrint } from './parts.ts';
import { cut, escapeMrkdwn, showTime, toLine } from './text.ts';

const MAX_RULE = 400; // beside fifty lines, in the 13,200 characters or so that Slack takes

export interface BatchMessage extends Message {
  metadata: MessageMetadata;
}

/** One card for many requests of one playbook: a line for each, and buttons while any of them waits. */
export function createBatchCard(batch: BatchView): BatchMessage {
  const sentence = toLine(describeBatch(batch), MAX_SENTENCE);
  const waiting = batch.actions.filter(isWaiting);
  const blocks: KnownBlock[] = [
    sentenceBlock(sentence, { blockId: BATCH_BLOCK }),
    factsBlock([
      ['Risk', batch.actions[0]?.risk ?? 'low'],
      ['Rule', toLine(batch.rule || 'none', MAX_RULE)],
    ]),
    preformattedBlock(describeSteps(batch.actions)),
    listBlock(batch.actions.map(describeRow)),
    ...drawHalts(batch.actions),
    ...drawPauses(batch.actions),
  ];
  const nextExpiry = waiting.map(({ expiresAt }) => expiresAt?.getTime() ?? Infinity).toSorted((a, b) => a - b)[0];
  if (nextExpiry !== undefined && Number.isFinite(nextExpiry)) {
    blocks.push(smallPrint([`The first of them expires ${showTime(new Date(nextExpiry))}`]));
  }
  if (waiting.length > 0) blocks.push({ type: 'actions', elements: buttonsOf(batch, waiting) });
  return { text: escapeMrkdwn(sentence), blocks, metadata: metadataOf(batch) };
}

/** In place of a second message of the same batch; without buttons. */
export function createClosedBatch(batch: BatchView): BatchMessage {
  const sentence = toLine(`This message was replaced: the card of ${describeBatch(batch)}`, MAX_SENTENCE);
  return { text: escapeMrkdwn(sentence), blocks: [sentenceBlock(sentence)], metadata: metadataOf(batch) };
}

/** Slack takes a list of strings, which its type does not say. */
export function metadataOf(batch: BatchView): MessageMetadata {
  const payload: object = { batch_id: batch.id, action_ids: batch.actions.map(({ id }) => id) };
  return { event_type: BATCH_EVENT_TYPE, event_payload: payload as MessageMetadata['event_payload'] };
}

/** `12 requests to run restart-service: 8 wait for approval, 3 completed, 1 failed.` */
function describeBatch({ playbook, actions }: BatchView): string {
  const counts = new Map<string, number>();
  for (const action of actions) counts.set(wordOf(action), (counts.get(wordOf(action)) ?? 0) + 1);
  const told = [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
  return `${actions.length} requests to run ${playbook}: ${told}.${describeHalted(actions)}`;
}

/** Where one halt covers all that has not ended. */
function describeHalted(actions: readonly ActionView[]): string {
  const open = actions.filter(({ status }) => !isEnded(status));
  const halt = open[0]?.halt ?? null;
  return halt !== null && open.every((action) => action.halt?.id === halt.id) ? ` ${describeReach(halt)}.` : '';
}

/** The steps of the first, exactly; the others differ from it only by what their lines say. */
function describeSteps(actions: readonly ActionView[]): string {
  return cut(writeArgv(actions[0]?.argvPreview ?? []), MAX_BATCH_STEPS);
}

/** Read aloud, each says of which playbook it decides. Under a halt nothing can be approved. */
function buttonsOf({ id: value, playbook }: BatchView, waiting: readonly ActionView[]) {
  const count = waiting.length;
  const all = (verb: string) => ({ value, label: `${verb} all ${count}`, spoken: `${verb} all ${count}: ${playbook}` });
  const some = 'Approve some of them';
  const reject = button({ actionId: BATCH_BUTTONS.reject, ...all('Reject'), style: 'danger' });
  if (waiting.every(({ halt }) => halt !== null)) return [reject];
  return [
    button({ actionId: BATCH_BUTTONS.approve, ...all('Approve'), style: 'primary' }),
    button({ actionId: BATCH_BUTTONS.select, label: some, value, spoken: `${some}: ${playbook}` }),
    reject,
  ];
}
