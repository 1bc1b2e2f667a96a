import type { KnownBlock, ModalView } from '@slack/types';
import { cut } from './text.ts';

const MAX_HINT = 150;

/** A form without its blocks. `privateMetadata` is kept by Slack for us and shown to nobody. */
export function formFrame(callbackId: string, title: string, privateMetadata: string): Omit<ModalView, 'blocks'> {
  return {
    type: 'modal',
    callback_id: callbackId,
    private_metadata: privateMetadata,
    title: { type: 'plain_text', text: title },
    close: { type: 'plain_text', text: 'Close' },
  };
}

/** One field for text; block and action have the same id. */
export function textField(
  id: string,
  label: string,
  rule: { isOptional: boolean; hint: string; maxLength: number; isOneLine?: boolean },
): KnownBlock {
  return {
    type: 'input',
    block_id: id,
    label: { type: 'plain_text', text: label },
    hint: { type: 'plain_text', text: cut(rule.hint, MAX_HINT) },
    optional: rule.isOptional,
    element: {
      type: 'plain_text_input',
      action_id: id,
      multiline: rule.isOneLine !== true,
      max_length: rule.maxLength,
    },
  };
}
