import type { InputBlock, ModalView, PlainTextOption } from '@slack/types';
import { writeBatchLine } from '../../domain/batch-line.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { BatchView } from '../../services/slack/batches.ts';
import { isWaiting } from './batch-rows.ts';
import { formFrame, textField } from './form-parts.ts';
import { BATCH_FORMS } from './names.ts';
import { sentenceBlock } from './parts.ts';
import { toLine } from './text.ts';

const GROUP = 10; // Slack's most for one group of checkboxes
const MAX_OPTION = 75; // Slack's, for its text and for its description
const MAX_WORDS = 1_000;
/** Block and action ids of the groups, each with its number. */
export const SELECTION = 'selection_';

/** Boxes for what still waits, none ticked: each tick is a decision. */
export function createSelectionForm(input: { batch: BatchView; metadata: string }): ModalView {
  const { batch, metadata } = input;
  const waiting = batch.actions.filter(isWaiting);
  const groups = Array.from({ length: Math.ceil(waiting.length / GROUP) }, (_, index) =>
    createGroup(waiting.slice(index * GROUP, (index + 1) * GROUP), index),
  );
  return {
    ...formFrame(BATCH_FORMS.selection, 'Approve some of them', metadata),
    submit: { type: 'plain_text', text: 'Approve the ticked' },
    blocks: [
      sentenceBlock(`${waiting.length} requests to run ${batch.playbook} wait. Those you leave out go on waiting.`),
      ...groups,
    ],
  };
}

function createGroup(actions: readonly ActionView[], index: number): InputBlock {
  const first = index * GROUP + 1;
  return {
    type: 'input',
    block_id: `${SELECTION}${index}`,
    optional: true,
    label: { type: 'plain_text', text: `Requests ${first} to ${first + actions.length - 1}` },
    element: { type: 'checkboxes', action_id: `${SELECTION}${index}`, options: actions.map(createOption) },
  };
}

function createOption(action: ActionView): PlainTextOption {
  const reason = action.reason === null ? '' : `, “${action.reason}”`;
  return {
    text: { type: 'plain_text', text: toLine(writeBatchLine(action), MAX_OPTION), emoji: false },
    description: {
      type: 'plain_text',
      text: toLine(`for ${action.requestedBy}${action.dryRun ? ' (dry run)' : ''}${reason}`, MAX_OPTION),
      emoji: false,
    },
    value: action.id,
  };
}

/** The one reason that each of the rejected gets. */
export function createBatchRejectForm(input: { batch: BatchView; count: number; metadata: string }): ModalView {
  const { batch, count, metadata } = input;
  return {
    ...formFrame(BATCH_FORMS.rejectReason, 'Reject all of them', metadata),
    submit: { type: 'plain_text', text: 'Reject' },
    blocks: [
      sentenceBlock(`You reject ${count} requests to run ${batch.playbook}.`),
      textField('reason', 'Why?', { isOptional: false, hint: 'Each requester reads it.', maxLength: MAX_WORDS }),
    ],
  };
}
