import type { KnownBlock, ModalView, PlainTextOption } from '@slack/types';
import type { Playbook } from '../../playbook/playbook.ts';
import { formFrame, textField } from './form-parts.ts';
import { FORMS } from './names.ts';
import { sentenceBlock } from './parts.ts';
import { toLine } from './text.ts';

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
    ...formFrame(FORMS.request, 'Ask for a repair', input.channel),
    submit: { type: 'plain_text', text: 'Ask' },
    blocks: [
      selectBlock('playbook', 'Playbook', playbooks),
      selectBlock('server', 'Server', servers),
      textField('params', 'Parameters', {
        isOptional: true,
        hint: 'As key=value, with spaces between: service=nginx',
        maxLength: 2_000,
      }),
      textField('reason', 'Reason', { isOptional: true, hint: 'Those who approve read it.', maxLength: 1_000 }),
    ],
  };
}

function createEmptyForm(hasNoPlaybooks: boolean): ModalView {
  const missing = hasNoPlaybooks ? 'There are no playbooks yet.' : 'There are no servers yet: enrol one first.';
  return { ...formFrame(FORMS.request, 'Ask for a repair', ''), blocks: [sentenceBlock(missing)] };
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
