import { describe, expect, test } from '@jest/globals';
import { formatProblem } from '../../../playbook/format-problem.ts';
import { parsePlaybook } from '../../../playbook/parse.ts';

describe('parsePlaybook', () => {
  test('tells every mistake at once with line and column', () => {
    const text = [
      'name: Bad_Name',
      'titel: x',
      'risk: lo',
      'timeout: soon',
      'steps:',
      '  - run: [sh, -c, "${x}"]',
      '  - run: [/bin/sh, -c, ls]',
      '  - run: [/bin/ls, "a${x}"]',
    ].join('\n');
    const { playbook, problems } = parsePlaybook({ file: 'p.yaml', text });
    expect(playbook).toBeUndefined();
    expect(problems.map((p) => [p.line, p.column, p.code])).toEqual([
      [1, 1, 'missing_key'],
      [1, 7, 'invalid_name'],
      [2, 1, 'unknown_key'],
      [3, 7, 'invalid_value'],
      [4, 10, 'invalid_duration'],
      [6, 11, 'invalid_program'],
      [6, 19, 'unknown_slot'],
      [7, 11, 'forbidden_program'],
      [8, 20, 'invalid_slot'],
    ]);
  });

  test.each([
    ['a: 1\na: 2', 'duplicate_key'],
    ['a: &x 1\nb: *x', 'ambiguous_yaml'],
    ['a: !!str 1', 'ambiguous_yaml'],
    ['1: a', 'ambiguous_yaml'],
    ['a: .nan', 'ambiguous_yaml'],
    ['a: 99999999999999999999', 'ambiguous_yaml'],
    ['a: yes', 'ambiguous_yaml'],
    ['a: 1\n---\nb: 2', 'several_documents'],
    ['__proto__: 1', 'unknown_key'],
    ['a: [', 'invalid_yaml'],
    ['', 'empty_document'],
    [`a: "${'x'.repeat(70_000)}"`, 'too_large'],
  ])('refuses %j', (text, code) => {
    expect(parsePlaybook({ file: 'p.yaml', text }).problems.map((p) => p.code)).toContain(code);
  });
});

const LINES = [
  'name: p',
  'title: P',
  'risk: low',
  'timeout: 10s',
  'params:',
  '  x: { type: string, required: true }',
  'steps:',
  '  - run: [/bin/echo, "${x}"]',
  'verify:',
  '  - run: [/bin/echo, "${x}"]',
];

function tell(line: number, text: string): string[] {
  const lines = LINES.with(line - 1, text).join('\n');
  return parsePlaybook({ file: 'p.yaml', text: lines, expectedName: 'p' }).problems.map(
    (problem) => `${formatProblem(problem)} [${problem.code}]`,
  );
}

describe('one mistake is told once, where it is', () => {
  test.each<[number, string, string]>([
    [1, 'name: q', 'p.yaml:1:7: The file of the playbook "q" must be called q.yaml. [name_mismatch]'],
    [1, 'name: 5', 'p.yaml:1:7: Name must be a text, not 5; put it in quotes. [invalid_type]'],
    [2, 'titel: P', 'p.yaml:2:1: "titel" is no key of the playbook. Did you mean "title"? [unknown_key]'],
    [2, 'title: "a\\u202eb"', 'p.yaml:2:8: The title holds the control or invisible character U+202E. [invalid_text]'],
    [2, `title: ${'x'.repeat(151)}`, 'p.yaml:2:8: The title must not be longer than 150 characters. [invalid_value]'],
    [
      3,
      'risk: hihg',
      'Risk must be one of low, medium, high, critical, not "hihg". Did you mean "high"? [invalid_value]',
    ],
    [4, 'timeout: 10', 'p.yaml:4:10: Timeout must be a duration such as 30s, 10m or 1h, not 10. [invalid_duration]'],
    [4, 'timeout: 500ms', 'p.yaml:4:10: Timeout must be between 1s and 1d, not 500ms. [invalid_duration]'],
    [4, 'timeout: 2d', 'p.yaml:4:10: Timeout must be between 1s and 1d, not 2d. [invalid_duration]'],
    [
      4,
      'timeout: 10s\nmax_timeout: 5s',
      'p.yaml:4:10: timeout must not be longer than max_timeout. [invalid_duration]',
    ],
    [
      4,
      'timeout: 10s\nidempotent: maybe',
      'p.yaml:5:13: Idempotent must be true or false, not "maybe". [invalid_type]',
    ],
    [6, '  x: { type: string, requird: true, required: true }', 'p.yaml:6:22: "requird" is no key of the parameter x.'],
    [6, '  x: { type: strng, required: true }', 'p.yaml:6:14: Type of the parameter x must be one of string, integer,'],
    [6, '  x: { required: true }', 'p.yaml:6:6: The key "type" is missing in the parameter x. [missing_key]'],
    [
      6,
      '  x: { type: string }',
      'p.yaml:6:3: Say "required: true" or give a default for the parameter x. [missing_default]',
    ],
    [6, '  x: { type: string, required: true, default: a }', 'p.yaml:6:38: A required parameter has no default;'],
    [6, '  x: { type: string, default: -a }', 'p.yaml:6:31: The default of the parameter x must not start with "-"'],
    [6, '  x: { type: string, pattern: a, default: b }', 'p.yaml:6:43: The default of the parameter x must match a'],
    [6, '  x: { type: integer, max: 3, default: 4 }', 'p.yaml:6:40: The default of the parameter x must be at most 3.'],
    [
      6,
      '  x: { type: boolean, default: "true" }',
      'p.yaml:6:32: The default of the parameter x must be true or false.',
    ],
    [
      6,
      '  x: { type: enum, values: [aa, bb], default: ab }',
      'p.yaml:6:47: The default of the parameter x must be one of',
    ],
    [
      6,
      '  x: { type: path, within: [/a], default: /b }',
      'p.yaml:6:43: The default of the parameter x must lie within /a.',
    ],
    [
      6,
      '  x: { type: string, pattern: "(", required: true }',
      'p.yaml:6:31: The pattern of the parameter x is no valid',
    ],
    [
      6,
      '  x: { type: string, pattern: "(?=a)", required: true }',
      'which is not supported in a pattern. [invalid_pattern]',
    ],
    [
      6,
      '  x: { type: string, max_length: 1025, required: true }',
      'p.yaml:6:34: max_length of the parameter x must be',
    ],
    [6, '  x: { type: integer, min: -1, required: true }', 'p.yaml:6:28: min of the parameter x must be 0 or more'],
    [
      6,
      '  x: { type: integer, min: 5, max: 4, required: true }',
      'p.yaml:6:36: max of the parameter x must not be below',
    ],
    [6, '  x: { type: integer, min: 1.5, required: true }', 'p.yaml:6:28: 1.5 is no plain whole number;'],
    [6, '  x: { type: enum, required: true }', 'p.yaml:6:3: List at least one text as values of the parameter x.'],
    [
      6,
      '  x: { type: enum, values: [a, a], required: true }',
      'p.yaml:6:32: "a" stands twice in values of the parameter x.',
    ],
    [
      6,
      '  x: { type: path, within: [/a/..], required: true }',
      'p.yaml:6:29: "/a/.." in within of the parameter x must not',
    ],
    [
      6,
      '  x: { type: path, within: [/], required: true }',
      'must be narrower than the whole file system. [invalid_value]',
    ],
    [
      6,
      '  x: { type: boolean, default: true }\n  yy: { type: boolean, default: true }',
      'The parameter yy is used nowhere;',
    ],
    [8, '  - run: /bin/echo ${x}', 'p.yaml:8:10: "run" of step 1 of steps must be a list:'],
    [8, '  - run: []', 'p.yaml:8:10: "run" of step 1 of steps must name a program. [invalid_step]'],
    [8, '  - run: [echo]', 'p.yaml:8:11: The program "echo" must be an absolute path, such as'],
    [8, '  - run: ["/bin/${x}"]', 'p.yaml:8:11: The program must not come from a parameter; write it out.'],
    [8, '  - run: [/bin/echo, "a${x}"]', 'p.yaml:8:22: A slot fills a whole argument or the part after "--name=";'],
    [8, '  - run: [/bin/echo, "${y}"]', 'p.yaml:8:22: "y" is no parameter of this playbook.'],
    [
      8,
      '  - run: [/bin/echo, 5]',
      'p.yaml:8:22: Each of "run" of step 1 of steps must be a text, not 5; put it in quotes.',
    ],
    [8, '  - run: [/bin/echo, "a\\nb"]', 'p.yaml:8:22: This argument holds the control or invisible character U+000A.'],
    [8, '  - run: [/usr/bin/bash, -c, ls]', 'p.yaml:8:11: bash is a shell; call the program itself'],
    [8, '  - run: [/usr/bin/env, ls]', 'p.yaml:8:11: env starts other programs; call the program itself'],
    [8, '  - run: [/usr/bin/python3, -c, print()]', 'p.yaml:8:11: python3 must run a script file, not code from'],
    [8, '  - run: [/usr/bin/node, --eval=1]', 'p.yaml:8:11: node must run a script file, not code from its arguments.'],
    [8, '  - run: [/usr/bin/perl, "-"]', 'p.yaml:8:11: perl must run a script file, not code from its arguments.'],
    [8, '  - run: [/usr/bin/python3.12, "${x}"]', 'p.yaml:8:11: Which script python3.12 runs must not come from a'],
    [
      8,
      '  - run: [/bin/true]\n    wait: { for: 2s, every: 1s }',
      'p.yaml:9:5: "wait" belongs to a step of verify only.',
    ],
    [8, '  - run: [/bin/true]\n    with: {}', 'p.yaml:9:5: "with" belongs to "uses", not to "run". [invalid_step]'],
    [8, '  - {}', 'p.yaml:8:5: Step 1 of steps needs either "run" or "uses". [invalid_step]'],
    [
      8,
      '  - uses: clear-log',
      'p.yaml:8:11: "clear-log" is no built-in step. Did you mean "clear-logs"? [unknown_builtin]',
    ],
    [8, '  - uses: clear-logs', 'p.yaml:8:11: clear-logs needs "with" and in it: path. [missing_key]'],
    [8, '  - uses: clear-logs\n    with: { path: "${x}" }', 'p.yaml:9:19: "path" must be the slot of a path parameter'],
    [
      10,
      '  - run: [/bin/true]\n    wait: { for: 1s, every: 2s }',
      'p.yaml:11:11: "every" in wait of step 1 of verify is',
    ],
    [
      10,
      '  - run: [/bin/true]\n    wait: { for: 2s }',
      'p.yaml:11:11: The key "every" is missing in wait of step 1 of verify.',
    ],
    [
      10,
      '  - run: [/bin/true]\n    wait: { for: 2s, every: 1s, evry: 1s }',
      'p.yaml:11:33: "evry" is no key of wait of',
    ],
  ])('line %i: %s', (line, text, told) => {
    const problems = tell(line, text);
    expect(problems.filter((problem) => problem.includes(told))).toHaveLength(1);
    const isKeyMistyped = text.startsWith('titel'); // the right key is missing then, too
    expect(problems).toHaveLength(isKeyMistyped ? 2 : 1);
  });

  test.each([
    '/usr/bin/python3, /opt/tool.py, "${x}"',
    '/usr/bin/node, --enable-source-maps, /opt/tool.js, --name, "${x}"',
    '/opt/shell-tools/run, "--what=${x}"',
  ])('%s is no mistake', (argv) => {
    expect(tell(8, `  - run: [${argv}]`)).toEqual([]);
  });

  test.each(['reason', 'constructor', 'X', '1a', 'a__b'])('%s is no name for a parameter', (name) => {
    const problems = tell(6, `  x: { type: boolean, default: true }\n  ${name}: { type: boolean, default: true }`);
    expect(problems[0]).toMatch(/^p\.yaml:7:3: .* \[invalid_name\]$/);
  });
});
