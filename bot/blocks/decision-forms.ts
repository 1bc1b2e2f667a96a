import type { KnownBlock, ModalView } from '@slack/types';
import type { ActionView } from '../../services/actions/action-view.ts';
import { argvBlock, MAX_NAME, MAX_REASON } from './facts.ts';
import { formFrame, textField } from './form-parts.ts';
import { FORMS } from './names.ts';
import { factsBlock, sentenceBlock } from './parts.ts';
import { toLine } from './text.ts';

const MAX_WORDS = 1_000;

/** What a form was opened for, kept by Slack until it comes back. */
export interface DecisionFormContext {
  actionId: string;
  /** Where the answer goes. */
  channel: string;
  /** Of the playbook that was shown: an approval counts for this one only. */
  playbookDigest: string;
}

/** The reason that a rejection needs. */
export function createRejectForm(input: { action: ActionView; channel: string }): ModalView {
  const { action } = input;
  return {
    ...formFrame(FORMS.rejectReason, 'Reject', keep(input)),
    submit: { type: 'plain_text', text: 'Reject' },
    blocks: [
      sentenceBlock(`You reject ${action.playbook} on ${action.server}, which ${action.requestedBy} asked for.`),
      textField('reason', 'Why?', { isOptional: false, hint: 'The requester reads it.', maxLength: MAX_WORDS }),
    ],
  };
}

/** An approval with words of its own. */
export function createApproveCommentForm(input: { action: ActionView; channel: string }): ModalView {
  return {
    ...formFrame(FORMS.approveComment, 'Approve', keep(input)),
    submit: { type: 'plain_text', text: 'Approve' },
    blocks: [
      ...describeWhatRuns(input.action),
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

function keep(input: { action: ActionView; channel: string }): string {
  const { action, channel } = input;
  return JSON.stringify({ action_id: action.id, channel, playbook_digest: action.playbookDigest.slice(0, 80) });
}

/** A form that we did not open holds none of ours: then everything is ''. */
export function readFormContext(privateMetadata: string): DecisionFormContext {
  const value = parseObject(privateMetadata);
  const read = (key: string): string => (typeof value[key] === 'string' ? value[key] : '');
  return { actionId: read('action_id'), channel: read('channel'), playbookDigest: read('playbook_digest') };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
