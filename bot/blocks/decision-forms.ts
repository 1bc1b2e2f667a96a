import type { KnownBlock, ModalView } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import { argvBlock, MAX_NAME, MAX_REASON } from './facts.ts';
import { formFrame, textField } from './form-parts.ts';
import { FORMS } from './names.ts';
import { factsBlock, sentenceBlock } from './parts.ts';
import { toLine } from './text.ts';

const MAX_WORDS = 1_000;

export interface DecisionFormInput {
  action: ActionView;
  privateMetadata: string;
}

/** The reason that a rejection needs. */
export function createRejectForm({ action, privateMetadata }: DecisionFormInput): ModalView {
  return {
    ...formFrame(FORMS.rejectReason, 'Reject', privateMetadata),
    submit: { type: 'plain_text', text: 'Reject' },
    blocks: [
      sentenceBlock(`You reject ${action.playbook} on ${action.server}, which ${action.requestedBy} asked for.`),
      textField('reason', 'Why?', { isOptional: false, hint: 'The requester reads it.', maxLength: MAX_WORDS }),
    ],
  };
}

/** An approval with words of its own. */
export function createApproveCommentForm({ action, privateMetadata }: DecisionFormInput): ModalView {
  return {
    ...formFrame(FORMS.approveComment, 'Approve', privateMetadata),
    submit: { type: 'plain_text', text: 'Approve' },
    blocks: [
      ...describeWhatRuns(action),
      textField('reason', 'Your comment', {
        isOptional: false,
        hint: 'It stands on the card and in the audit log.',
        maxLength: MAX_WORDS,
      }),
    ],
  };
}

/** What exactly is about to be approved. */
function describeWhatRuns(action: ActionView): KnownBlock[] {
  return [
    sentenceBlock(`You approve ${action.playbook} on ${action.server}, which ${action.requestedBy} asked for.`),
    factsBlock([
      ['Server', toLine(action.server, MAX_NAME)],
      ['Risk', action.risk],
      ['Reason', action.reason === null ? 'none given' : toLine(action.reason, MAX_REASON)],
    ]),
    argvBlock(action),
  ];
}
