import type { KnownBlock, MessageMetadata } from '@slack/types';
import { writeArgv } from '../../domain/argv-text.ts';
import { writeBatchLine } from '../../domain/batch-line.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { BatchView } from '../../services/slack/batches.ts';
import type { Message } from './message.ts';
import { BATCH_BLOCK, BATCH_BUTTONS, BATCH_EVENT_TYPE, shortId } from './names.ts';
import { button, factsBlock, listBlock, MAX_SENTENCE, preformattedBlock, sentenceBlock, smallPrint } from './parts.ts';
import { cut, escapeMrkdwn, showTime, toLine } from './text.ts';

const MAX_ROW = 190; // 50 rows and the rest stay below about 13,200 characters
const MAX_STEPS = 1_500;

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
      ['Rule', toLine(batch.rule || 'none', MAX_SENTENCE)],
    ]),
    preformattedBlock(describeSteps(batch.actions)),
    listBlock(batch.actions.map(describeRow)),
  ];
  const nextExpiry = waiting.map(({ expiresAt }) => expiresAt?.getTime() ?? Infinity).toSorted((a, b) => a - b)[0];
  if (nextExpiry !== undefined && Number.isFinite(nextExpiry)) {
    blocks.push(smallPrint([`The first of them expires ${showTime(new Date(nextExpiry))}`]));
  }
  if (waiting.length > 0) blocks.push({ type: 'actions', elements: buttonsOf(batch.id, waiting.length) });
  return { text: escapeMrkdwn(sentence), blocks, metadata: metadataOf(batch) };
}

/** In place of a second message of the same batch; without buttons. */
export function createClosedBatch(batch: BatchView): BatchMessage {
  const sentence = toLine(`This message was replaced: the card of ${describeBatch(batch)}`, MAX_SENTENCE);
  return { text: escapeMrkdwn(sentence), blocks: [sentenceBlock(sentence)], metadata: metadataOf(batch) };
}

/** What is decided on a batch: what still waits for a person. */
export function isWaiting(action: ActionView): boolean {
  return action.status === 'pending' && action.approvalsRequired > 0;
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
  return `${actions.length} requests to run ${playbook}: ${told}.`;
}

function wordOf(action: ActionView): string {
  switch (action.status) {
    case 'pending':
      return isWaiting(action) ? 'waiting for approval' : 'waiting';
    case 'approved':
      return 'approved and waiting to start';
    case 'executing':
      return 'running';
    default:
      return action.status;
  }
}

/** `web-1, service=nginx, for ana: running (1a2b3c4d)` */
function describeRow(action: ActionView): string {
  const state = action.exitCode === null ? wordOf(action) : `${wordOf(action)}, exit code ${action.exitCode}`;
  const by = action.rejectedBy ?? action.cancelledBy ?? (action.approvedBy === 'auto' ? null : action.approvedBy);
  const who = `for ${toLine(action.requestedBy, 20)}${by === null ? '' : `, by ${toLine(by, 20)}`}`;
  const reason = action.reason === null ? '' : `, “${toLine(action.reason, 40)}”`;
  const what = toLine(writeBatchLine(action), 90);
  return cut(`${what} ${who}: ${state} (${shortId(action.id)})${reason}`, MAX_ROW);
}

/** The steps of the first, exactly; the others differ from it only by what their lines say. */
function describeSteps(actions: readonly ActionView[]): string {
  return cut(writeArgv(actions[0]?.argvPreview ?? []), MAX_STEPS);
}

function buttonsOf(batchId: string, count: number) {
  const value = batchId;
  return [
    button({ actionId: BATCH_BUTTONS.approve, label: `Approve all ${count}`, value, style: 'primary' }),
    button({ actionId: BATCH_BUTTONS.select, label: 'Approve some of them', value }),
    button({ actionId: BATCH_BUTTONS.reject, label: `Reject all ${count}`, value, style: 'danger' }),
  ];
}
