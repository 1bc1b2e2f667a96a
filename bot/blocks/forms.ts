import type { KnownBlock, ModalView, PlainTextOption } from '@slack/types';
import type { Playbook } from '../../playbook/playbook.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { FORMS } from './names.ts';
import { sentenceBlock } from './parts.ts';
import { cut, toLine } from './text.ts';

const MAX_OPTIONS = 100;
const MAX_OPTION_TEXT = 75;
const MAX_OPTION_VALUE = 150;

/** Blocks of the request form; each holds one input whose action id is the same word. */
export const REQUEST_FIELDS = ['playbook', 'server', 'params', 'reason'] as const;

/** `/remediate` alone: what, where, with which parameters, why. */
export function createRequestForm(input: {
  playbooks: readonly Playbook[];
  servers: readonly string[];
  channel: string;
}): ModalView {
  const playbooks = options(input.playbooks.map(({ name, title, risk }) => [`${name}: ${title} (${risk})`, name]));
  const servers = options(input.servers.map((name) => [name, name]));
  if (playbooks.length === 0 || servers.length === 0) return createEmptyForm(playbooks.length === 0);
  return {
    ...frame(FORMS.request, 'Ask for a repair', input.channel),
    submit: { type: 'plain_text', text: 'Ask' },
    blocks: [
      selectBlock('playbook', 'Playbook', playbooks),
      selectBlock('server', 'Server', servers),
      textBlock('params', 'Parameters', {
        isOptional: true,
        hint: 'As key=value, with spaces between: service=nginx',
        maxLength: 2_000,
      }),
      textBlock('reason', 'Reason', { isOptional: true, hint: 'Those who approve read it.', maxLength: 1_000 }),
    ],
  };
}

/** The reason that a rejection needs. `channel` is where the answer goes. */
export function createRejectForm(input: { action: ActionView; channel: string }): ModalView {
  const { action, channel } = input;
  return {
    ...frame(FORMS.rejectReason, 'Reject', JSON.stringify({ action_id: action.id, channel })),
    submit: { type: 'plain_text', text: 'Reject' },
    blocks: [
      sentenceBlock(`You reject ${action.playbook} on ${action.server}, which ${action.requestedBy} asked for.`),
      textBlock('reason', 'Why?', { isOptional: false, hint: 'The requester reads it.', maxLength: 1_000 }),
    ],
  };
}

function createEmptyForm(hasNoPlaybooks: boolean): ModalView {
  const missing = hasNoPlaybooks ? 'There are no playbooks yet.' : 'There are no servers yet: enrol one first.';
  return { ...frame(FORMS.request, 'Ask for a repair', ''), blocks: [sentenceBlock(missing)] };
}

function frame(callbackId: string, title: string, privateMetadata: string): Omit<ModalView, 'blocks'> {
  return {
    type: 'modal',
    callback_id: callbackId,
    private_metadata: privateMetadata,
    title: { type: 'plain_text', text: title },
    close: { type: 'plain_text', text: 'Close' },
  };
}

function options(named: readonly (readonly [text: string, value: string])[]): PlainTextOption[] {
  return named
    .filter(([, value]) => value !== '' && value.length <= MAX_OPTION_VALUE)
    .map(([text, value]) => option(text, value));
}

function option(text: string, value: string): PlainTextOption {
  return { text: { type: 'plain_text', text: toLine(text, MAX_OPTION_TEXT), emoji: false }, value };
}

function selectBlock(id: string, label: string, choices: readonly PlainTextOption[]): KnownBlock {
  const isCut = choices.length > MAX_OPTIONS;
  return {
    type: 'input',
    block_id: id,
    label: { type: 'plain_text', text: label },
    ...(isCut ? { hint: { type: 'plain_text', text: `The first ${MAX_OPTIONS}; type the command for others.` } } : {}),
    element: { type: 'static_select', action_id: id, options: choices.slice(0, MAX_OPTIONS) },
  };
}

function textBlock(
  id: string,
  label: string,
  rule: { isOptional: boolean; hint: string; maxLength: number },
): KnownBlock {
  return {
    type: 'input',
    block_id: id,
    label: { type: 'plain_text', text: label },
    hint: { type: 'plain_text', text: cut(rule.hint, 150) },
    optional: rule.isOptional,
    element: { type: 'plain_text_input', action_id: id, multiline: true, max_length: rule.maxLength },
  };
}
