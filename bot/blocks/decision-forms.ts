import type { KnownBlock, ModalView } from '@slack/types';
import type { Proof } from '../../domain/policy.ts';
import { listProofs } from '../../domain/policy.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { argvBlock, MAX_NAME, MAX_REASON } from './facts.ts';
import { formFrame, textField } from './form-parts.ts';
import { FORMS } from './names.ts';
import { factsBlock, sentenceBlock } from './parts.ts';
import { toLine } from './text.ts';

/*
 * The forms that decide. Each field's id is the name of what it gives, as the API has it: what is wrong with it is told
 * at that field.
 */

const MAX_WORDS = 1_000;

export interface DecisionFormInput {
  action: ActionView;
  /** Under our seal (bot/seal.ts). */
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
      sentenceBlock(`You approve ${action.playbook} on ${action.server}, which ${action.requestedBy} asked for.`),
      ...describeWhatRuns(action),
      textField('reason', 'Your comment', {
        isOptional: false,
        hint: 'It stands on the card and in the audit log.',
        maxLength: MAX_WORDS,
      }),
    ],
  };
}

/** At high and critical risk a click alone approves nothing: this asks for what the approval has to carry. */
export function createConfirmForm({ action, privateMetadata }: DecisionFormInput): ModalView {
  return {
    ...formFrame(FORMS.confirm, 'Approve', privateMetadata),
    submit: { type: 'plain_text', text: 'Approve' },
    blocks: [
      sentenceBlock(
        `You approve ${action.playbook} on ${action.server}, which ${action.requestedBy} asked for. Its risk is ${action.risk}, so please make sure.`,
      ),
      ...describeWhatRuns(action),
      ...listProofs({ risk: action.risk }).map(proofField),
    ],
  };
}

/** An admin's way past the rule. */
export function createBreakGlassForm({ action, privateMetadata }: DecisionFormInput): ModalView {
  return {
    ...formFrame(FORMS.breakGlass, 'Break glass', privateMetadata),
    submit: { type: 'plain_text', text: 'Break glass' },
    blocks: [
      sentenceBlock(
        `You approve ${action.playbook} on ${action.server} alone, past its rule. It is told in the channel and kept in the audit log.`,
      ),
      ...describeWhatRuns(action),
      ...listProofs({ risk: action.risk, isBreakGlass: true }).map(proofField),
    ],
  };
}

/** What exactly is about to be approved. */
function describeWhatRuns(action: ActionView): KnownBlock[] {
  return [
    factsBlock([
      ['Server', toLine(action.server, MAX_NAME)],
      ['Risk', action.risk],
      ['Reason', action.reason === null ? 'none given' : toLine(action.reason, MAX_REASON)],
      ['Rule', toLine(action.approvalRule || 'none', MAX_REASON)],
    ]),
    argvBlock(action),
  ];
}

function proofField(proof: Proof): KnownBlock {
  switch (proof) {
    case 'confirm_server':
      return textField(proof, 'Name of the server', {
        isOptional: false,
        isOneLine: true,
        hint: 'Type it as it stands above.',
        maxLength: 63, // no server's name is longer
      });
    case 'reason':
      return textField(proof, 'Why?', {
        isOptional: false,
        hint: 'It stands on the card and in the audit log.',
        maxLength: MAX_WORDS,
      });
    case 'totp':
      return textField(proof, 'One-time code', {
        isOptional: false,
        isOneLine: true,
        hint: 'The six digits that your authenticator app shows now. Each code is good once.',
        maxLength: 10, // six digits, with spaces as some apps show them
      });
  }
}
