import type { InputBlock, KnownBlock, ModalView } from '@slack/types';
import type { Playbook } from '../../playbook/playbook.ts';
import { formFrame } from './form-parts.ts';
import { FORMS, SEARCHES } from './names.ts';
import { createOption, createParamInputs, MAX_OPTIONS } from './param-inputs.ts';
import { sentenceBlock } from './parts.ts';
import { createPreview } from './preview.ts';
import type { ShownPreview } from './preview.ts';
import { toLine } from './text.ts';

const TITLE = 'Ask for a repair';
const MAX_REASON = 1_000; // what an action keeps

/** What somebody has filled in so far; '' where nothing stands. */
export interface Entered {
  playbook: string;
  server: string;
  /** By name; a parameter that is missing has its default. */
  params: Readonly<Record<string, string>>;
  reason: string;
}

export interface RequestFormInput {
  playbooks: readonly Playbook[];
  /** The one that is chosen: its inputs are shown. */
  playbook: Playbook | null;
  entered: Entered;
  /** Null: there is not enough yet, and sending the form shows it first. */
  shown: ShownPreview | null;
  /** What a person should know first, in one sentence. */
  notice: string | null;
  metadata: string;
}

/** What, with which values, where and why; below it what would happen. Within Slack's limits for any playbook. */
export function createRequestForm(input: RequestFormInput): ModalView {
  const { playbooks, playbook, entered, shown, notice, metadata } = input;
  if (playbooks.length === 0) return createPlainForm('There are no playbooks yet.', metadata);
  const lead =
    playbook === null
      ? 'Ask for a repair: choose the playbook first, and what it needs to know appears.'
      : `${playbook.title}: ${playbook.description} Its risk is ${playbook.risk}.`;
  return {
    ...formFrame(FORMS.request, TITLE, metadata),
    submit: { type: 'plain_text', text: submitLabel(shown) },
    blocks: [
      ...(notice === null ? [] : [sentenceBlock(notice, { blockId: 'notice' })]),
      sentenceBlock(lead),
      playbookInput(playbooks, playbook),
      ...(playbook === null ? [] : createParamInputs(playbook, entered.params)),
      serverInput(entered.server),
      reasonInput(entered.reason, shown?.preview.requirement.isReasonRequired ?? false),
      ...(shown === null ? [] : createPreview(shown)),
    ],
  };
}

/** A form that only says something. */
export function createPlainForm(sentence: string, metadata: string): ModalView {
  return { ...formFrame(FORMS.request, TITLE, metadata), blocks: [sentenceBlock(sentence)] };
}

/** The button says what it does: nothing is sent that was not shown first. */
function submitLabel(shown: ShownPreview | null): string {
  if (shown === null) return 'Preview';
  return shown.preview.requirement.approvals === 0 ? 'Run it' : 'Ask for approval';
}

function playbookInput(playbooks: readonly Playbook[], chosen: Playbook | null): KnownBlock {
  const initial = chosen === null ? {} : { initial_option: playbookOption(chosen) };
  const isLong = playbooks.length > MAX_OPTIONS;
  return input('playbook', 'Playbook', {
    dispatch_action: true,
    element: isLong
      ? { type: 'external_select', action_id: SEARCHES.playbook, min_query_length: 0, ...initial }
      : { type: 'static_select', action_id: 'playbook', options: playbooks.map(playbookOption), ...initial },
  });
}

export function playbookOption({ name, title }: Playbook): ReturnType<typeof createOption> {
  return createOption(`${name}: ${title}`, name);
}

function serverInput(server: string): KnownBlock {
  const initial = server === '' ? {} : { initial_option: createOption(server, server) };
  return input('server', 'Server', {
    dispatch_action: true,
    hint: { type: 'plain_text', text: 'Type a part of its name or of a tag.' },
    element: { type: 'external_select', action_id: SEARCHES.server, min_query_length: 0, ...initial },
  });
}

function reasonInput(reason: string, isRequired: boolean): KnownBlock {
  const hint = isRequired
    ? 'The rule asks for it; those who approve read it.'
    : 'Those who approve read it, and it stays in the log.';
  return input('reason', 'Reason', {
    optional: !isRequired,
    hint: { type: 'plain_text', text: hint },
    element: {
      type: 'plain_text_input',
      action_id: 'reason',
      multiline: true,
      max_length: MAX_REASON,
      ...(reason === '' ? {} : { initial_value: reason.slice(0, MAX_REASON) }),
    },
  });
}

function input(id: string, label: string, rest: Pick<InputBlock, 'element'> & Partial<InputBlock>): InputBlock {
  return { type: 'input', block_id: id, label: { type: 'plain_text', text: toLine(label, 100) }, ...rest };
}
