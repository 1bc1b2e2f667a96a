import { describe, expect, test } from '@jest/globals';
import { checkParams, coerceTypedParams } from '../../../playbook/params.ts';
import { parsePlaybook } from '../../../playbook/parse.ts';

const TEXT = [
  'name: p',
  'title: P',
  'risk: low',
  'timeout: 5s',
  'params:',
  '  unit_name: { type: string, max_length: 5, required: true }',
  '  lines: { type: integer, min: 1, max: 10, default: 3 }',
  '  is-hard: { type: boolean, default: false }',
  '  mode: { type: enum, values: [reload, restart], default: reload }',
  'steps:',
  "  - run: [/bin/echo, '${unit_name}', '${lines}', '${is-hard}', '${mode}']",
].join('\n');
const { playbook, problems } = parsePlaybook({ file: 'p.yaml', text: TEXT });
if (playbook === undefined) throw new Error(JSON.stringify(problems));

describe('parameters', () => {
  test('are filled up with defaults and otherwise left as they are', () => {
    const values = { unit_name: 'a b', lines: 3, 'is-hard': false, mode: 'reload' };
    expect(checkParams(playbook, { unit_name: 'a b' })).toEqual({ values });
  });

  test('are refused all at once', () => {
    const given = { lines: '3', mode: 'relaod', 'is-hard': 'yes', unitname: 'a', toString: 1 };
    expect(checkParams(playbook, given)).toEqual({
      errors: [
        {
          path: 'params.unitname',
          code: 'unknown_param',
          message: '"unitname" is no parameter of p. Did you mean "unit_name"?',
        },
        {
          path: 'params.toString',
          code: 'unknown_param',
          message: '"toString" is no parameter of p. Known: unit_name, lines, is-hard, mode.',
        },
        { path: 'params.unit_name', code: 'missing_param', message: 'p needs the parameter unit_name.' },
        { path: 'params.lines', code: 'invalid_param', message: 'The parameter lines must be a whole number.' },
        { path: 'params.is-hard', code: 'invalid_param', message: 'The parameter is-hard must be true or false.' },
        {
          path: 'params.mode',
          code: 'invalid_param',
          message: 'The parameter mode must be one of reload, restart (nearest: "reload").',
        },
      ],
    });
  });

  test.each([
    ['unit_name', 'abcdef', 'must not be longer than 5 characters'],
    ['unit_name', 5, 'must be a text'],
    ['unit_name', null, 'must be a text'],
    ['unit_name', ['a'], 'must be a text'],
    ['lines', 0, 'must be at least 1'],
    ['lines', 11, 'must be at most 10'],
    ['lines', 1.5, 'must be a whole number'],
    ['lines', NaN, 'must be a whole number'],
    ['lines', -1, 'must be at least 1'],
    ['is-hard', 1, 'must be true or false'],
    ['mode', 'RELOAD', 'must be one of reload, restart (nearest: "reload")'],
    ['mode', 7, 'must be one of reload, restart'],
  ])('%s=%j is refused: %s', (name, value, fault) => {
    const message = `The parameter ${name} ${fault}.`;
    const error = { path: `params.${name}`, code: 'invalid_param', message };
    expect(checkParams(playbook, { unit_name: 'a', [name]: value })).toEqual({ errors: [error] });
  });

  test('count characters, not halves of them', () => {
    expect(checkParams(playbook, { unit_name: '🙂🙂🙂🙂🙂' })).toHaveProperty('values');
    expect(checkParams(playbook, { unit_name: '🙂🙂🙂🙂🙂🙂' })).toHaveProperty('errors');
  });
});

describe('what a person types as key=value', () => {
  test.each<[Record<string, string>, Record<string, unknown>]>([
    [
      { 'unit-name': 'a', is_hard: 'true' },
      { unit_name: 'a', 'is-hard': true },
    ],
    [{ lines: '10' }, { lines: 10 }],
    [{ lines: '010' }, { lines: '010' }],
    [{ lines: '1e1' }, { lines: '1e1' }],
    [{ lines: '0x1' }, { lines: '0x1' }],
    [{ lines: '-1' }, { lines: -1 }],
    [{ lines: '' }, { lines: '' }],
    [{ 'is-hard': 'yes' }, { 'is-hard': 'yes' }],
    [{ unit_name: '5' }, { unit_name: '5' }],
    [{ unit_name: 'true' }, { unit_name: 'true' }],
    [{ toString: 'a' }, { toString: 'a' }],
  ])('%j becomes %j', (typed, coerced) => {
    expect(coerceTypedParams(playbook, typed)).toEqual(coerced);
  });
});
