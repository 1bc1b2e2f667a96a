import { describe, expect, test } from '@jest/globals';
import { judgeMetadata } from '../../sandbox/slack/block-kit/metadata.ts';
import { judgeMessageBlocks, judgeView } from '../../sandbox/slack/block-kit/surfaces.ts';

const plain = (text: string) => ({ type: 'plain_text', text });
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text });
const section = (text: string) => ({ type: 'section', text: mrkdwn(text) });
const button = (over: object = {}) => ({ type: 'button', action_id: 'go', text: plain('Go'), ...over });
const actions = (...elements: object[]) => ({ type: 'actions', elements });
const option = (value: string) => ({ text: plain(value), value });
const input = (over: object = {}) => ({
  type: 'input',
  block_id: 'reason',
  label: plain('Why?'),
  element: { type: 'plain_text_input', action_id: 'reason' },
  ...over,
});
const modal = (over: object = {}) => ({
  type: 'modal',
  title: plain('T'),
  submit: plain('Go'),
  blocks: [input()],
  ...over,
});

describe('blocks of a message', () => {
  test.each([
    ['text, fields and an accessory', [{ ...section('hi'), fields: [mrkdwn('a')], accessory: button() }]],
    [
      'a header, a divider and context',
      [{ type: 'header', text: plain('h') }, { type: 'divider' }, { type: 'context', elements: [mrkdwn('c')] }],
    ],
    [
      'buttons with styles and a confirmation',
      [
        actions(
          button({
            style: 'primary',
            confirm: { title: plain('a'), text: plain('b'), confirm: plain('c'), deny: plain('d') },
          }),
        ),
      ],
    ],
    [
      'menus',
      [
        actions(
          { type: 'static_select', action_id: 'm', options: [option('a')] },
          { type: 'users_select', action_id: 'u' },
        ),
      ],
    ],
    [
      'output as preformatted rich text',
      [
        {
          type: 'rich_text',
          elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'out' }] }],
        },
      ],
    ],
    [
      'a list of rich text',
      [
        {
          type: 'rich_text',
          elements: [
            {
              type: 'rich_text_list',
              style: 'bullet',
              elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'x' }] }],
            },
          ],
        },
      ],
    ],
    ['a section at its limit', [section('x'.repeat(3000))]],
    ['fifty blocks', Array.from({ length: 50 }, () => ({ type: 'divider' }))],
  ])('accepts %s', (_what, blocks) => {
    expect(judgeMessageBlocks(blocks)).toEqual({ error: undefined, messages: [] });
  });

  test.each([
    ['51 blocks', Array.from({ length: 51 }, () => ({ type: 'divider' })), 'no more than 50 items'],
    ['an unknown block', [{ type: 'sparkle' }], 'unsupported type: sparkle'],
    ['a block named like an inherited property', [{ type: 'constructor' }], 'unsupported type'],
    [
      'a section that is too long',
      [section('x'.repeat(3001))],
      'must be less than 3001 characters [json-pointer:/blocks/0/text/text]',
    ],
    ['an empty section', [section('')], 'must be more than 0 characters'],
    ['a section with nothing', [{ type: 'section' }], 'must define either `text` or `fields`'],
    [
      'eleven fields',
      [{ type: 'section', fields: Array.from({ length: 11 }, () => mrkdwn('f')) }],
      'no more than 10 items',
    ],
    ['a header in mrkdwn', [{ type: 'header', text: mrkdwn('h') }], 'must be plain_text'],
    ['a long header', [{ type: 'header', text: plain('h'.repeat(151)) }], 'less than 151'],
    ['a button with a long text', [actions(button({ text: plain('x'.repeat(76)) }))], 'less than 76'],
    ['a button with a long value', [actions(button({ value: 'x'.repeat(2001) }))], 'less than 2001'],
    ['a button with a long action_id', [actions(button({ action_id: 'x'.repeat(256) }))], 'less than 256'],
    ['a button with an odd style', [actions(button({ style: 'loud' }))], 'must be one of: primary, danger'],
    ['the same action_id twice in a block', [actions(button(), button())], 'already exists in this block'],
    [
      'the same block_id twice',
      [
        { type: 'divider', block_id: 'a' },
        { type: 'divider', block_id: 'a' },
      ],
      'already exists',
    ],
    [
      '26 buttons',
      [actions(...Array.from({ length: 26 }, (_, index) => button({ action_id: `a${String(index)}` })))],
      'no more than 25',
    ],
    [
      'a text field among buttons',
      [actions({ type: 'plain_text_input', action_id: 'x' })],
      'unsupported type: plain_text_input',
    ],
    ['an unknown key', [{ ...section('x'), colour: 'red' }], 'no more properties are allowed'],
    ['a script as a link', [actions(button({ url: 'javascript:alert(1)' }))], 'invalid url'],
    [
      'a menu without options',
      [actions({ type: 'static_select', action_id: 'm' })],
      'either `options` or `option_groups`',
    ],
    [
      '101 options',
      [
        actions({
          type: 'static_select',
          action_id: 'm',
          options: Array.from({ length: 101 }, (_, i) => option(String(i))),
        }),
      ],
      'no more than 100',
    ],
    [
      'an empty piece of rich text',
      [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: '' }] }] }],
      'more than 0',
    ],
    [
      'too much context',
      [{ type: 'context', elements: Array.from({ length: 11 }, () => mrkdwn('c')) }],
      'no more than 10',
    ],
  ])('refuses %s', (_what, blocks, message) => {
    const verdict = judgeMessageBlocks(blocks);
    expect(verdict.error).toBe('invalid_blocks');
    expect(verdict.messages.join('\n')).toContain(message);
  });

  test('refuses what is no list of blocks', () => {
    for (const value of ['text', { blocks: [] }, [null], 7])
      expect(judgeMessageBlocks(value).error).toBe('invalid_blocks_format');
  });

  test('refuses more than about 13,200 characters in all', () => {
    const blocks = Array.from({ length: 5 }, () => section('x'.repeat(2_700)));
    expect(judgeMessageBlocks(blocks).error).toBe('msg_blocks_too_long');
    expect(judgeMessageBlocks(blocks.slice(1)).error).toBeUndefined();
  });
});

describe('views', () => {
  test('accepts a form and a home', () => {
    expect(judgeView(modal(), 'modal').error).toBeUndefined();
    expect(
      judgeView({ type: 'home', blocks: Array.from({ length: 100 }, () => ({ type: 'divider' })) }, 'home').error,
    ).toBeUndefined();
  });

  test.each([
    ['a home where a modal is wanted', { type: 'home', blocks: [] }, 'must be modal'],
    ['a title over 24 characters', modal({ title: plain('x'.repeat(25)) }), 'less than 25'],
    ['no title', modal({ title: undefined }), '/view/title'],
    ['inputs without a submit', modal({ submit: undefined }), 'missing required field: submit'],
    ['too much private_metadata', modal({ private_metadata: 'x'.repeat(3001) }), 'less than 3001'],
    ['a long callback_id', modal({ callback_id: 'x'.repeat(256) }), 'less than 256'],
    ['101 blocks', modal({ blocks: Array.from({ length: 101 }, () => ({ type: 'divider' })) }), 'no more than 100'],
    ['an input with a button', modal({ blocks: [input({ element: button() })] }), 'unsupported type: button'],
    ['an input without a label', modal({ blocks: [input({ label: undefined })] }), '/view/blocks/0/label'],
    [
      'a first option that is none of them',
      modal({
        blocks: [
          input({
            element: { type: 'static_select', action_id: 's', options: [option('a')], initial_option: option('b') },
          }),
        ],
      }),
      'must be one of the options',
    ],
    ['a block for messages only', modal({ blocks: [{ type: 'markdown', text: 'x' }] }), 'unsupported type: markdown'],
  ])('refuses %s', (_what, view, message) => {
    const verdict = judgeView(view, 'modal');
    expect(verdict.error).toBe('invalid_arguments');
    expect(verdict.messages.join('\n')).toContain(message);
  });

  test('refuses one larger than 250 kB', () => {
    const blocks = Array.from({ length: 100 }, () => section('x'.repeat(2_990)));
    expect(judgeView({ type: 'home', blocks }, 'home').error).toBe('view_too_large');
  });
});

describe('metadata', () => {
  test('takes a type and a payload, and nothing else', () => {
    expect(judgeMetadata({ event_type: 'medic_action', event_payload: { action_id: 'a' } })).toBeUndefined();
    expect(judgeMetadata({ event_type: '', event_payload: {} })).toBe('invalid_metadata_format');
    expect(judgeMetadata({ event_type: 'x', event_payload: 'y' })).toBe('invalid_metadata_format');
    expect(judgeMetadata('x')).toBe('invalid_metadata_format');
    expect(judgeMetadata({ event_type: 'x', event_payload: { a: 'y'.repeat(16_000) } })).toBe('metadata_too_large');
  });
});
