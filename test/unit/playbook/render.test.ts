import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createCatalog, findPlaybook } from '../../../playbook/catalog.ts';
import { checkParams } from '../../../playbook/params.ts';
import { parsePlaybook } from '../../../playbook/parse.ts';
import type { ParamValues, Playbook } from '../../../playbook/playbook.ts';
import { effectiveTimeoutMs, previewSteps, renderSteps } from '../../../playbook/render.ts';
import { generateValid, SHIPPED_FILES } from './shipped-playbooks.ts';

const VALUES_PER_PLAYBOOK = 10_000;
const SHELLS = /(?:^|\/)(?:ba|da|z|k|c|tc|fi|a|r?k|mk)?sh$|busybox|(?:^|\/)(?:env|xargs|sudo|su)$/;
const PRINT_ARGUMENTS = fileURLToPath(new URL('../../fixtures/playbooks/print-arguments.mjs', import.meta.url));
const catalog = createCatalog(SHIPPED_FILES);

/** What an argument has to become, written apart from the product: the one slot replaced, all else as it stands. */
function fill(template: string, values: ParamValues): string {
  const start = template.indexOf('${');
  if (start === -1) return template;
  return template.slice(0, start) + String(values[template.slice(start + 2, -1)]);
}

/** Throws rather than expects: an assertion object for each of 30,000 values would take longer than the work. */
function holdToTemplate(playbook: Playbook, values: ParamValues): void {
  const rendered = renderSteps(playbook, values);
  for (const section of ['steps', 'verify', 'rollback'] as const) {
    if (rendered[section].length !== playbook[section].length) throw new Error(`${section}: another number of steps`);
    for (const [index, step] of rendered[section].entries()) {
      const template = playbook[section][index];
      const got = step.kind === 'run' ? step.argv : Object.entries(step.with).flat();
      const source = template?.kind === 'run' ? template.argv : Object.entries(template?.with ?? {}).flat();
      const wanted = source.map((part) => fill(part, values));
      const isSame = got.length === wanted.length && got.every((part, at) => part === wanted[at]);
      if (!isSame) throw new Error(`${section}[${index}] became ${JSON.stringify(got)}`);
      if (step.kind === 'run' && (got[0] !== source[0] || SHELLS.test(got[0] ?? '')))
        throw new Error('another program');
      if (source.some((part, at) => !part.includes('${') && got[at] !== part)) throw new Error('a fixed part changed');
    }
  }
}

describe('each shipped playbook', () => {
  test('is read without a problem', () => {
    expect(catalog.problems).toEqual([]);
    expect([...catalog.playbooks.keys()]).toEqual(
      expect.arrayContaining(['check-service', 'clear-logs', 'restart-service']),
    );
  });

  test.each([...catalog.playbooks.values()].map((playbook) => [playbook.name, playbook] as const))(
    '%s renders 10,000 valid values without one argument more, fewer, split, merged or altered',
    (_name, playbook) => {
      const specs = Object.entries(playbook.params).map(([name, spec]) => [name, generateValid(spec)] as const);
      let rendered = 0;
      const property = fc.property(fc.record(Object.fromEntries(specs)), (raw) => {
        const checked = checkParams(playbook, raw);
        if ('errors' in checked) throw new Error(JSON.stringify(checked.errors));
        for (const name of Object.keys(raw)) if (checked.values[name] !== raw[name]) throw new Error(`${name} changed`);
        holdToTemplate(playbook, checked.values);
        rendered += 1;
      });
      fc.assert(property, { numRuns: VALUES_PER_PLAYBOOK });
      expect(rendered).toBe(VALUES_PER_PLAYBOOK);
    },
  );

  test('either refuses any value at all or passes it through as one argument', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'-a.$;`\'"&|<>(){}\n\r\t\0 /\\=,*?~#!\u202e\u2028\u200b\ud800') }),
      fc.string().map((rest) => `/var/log/${rest}`),
      fc.anything(),
    );
    for (const playbook of catalog.playbooks.values()) {
      const names = Object.keys(playbook.params);
      const property = fc.property(fc.array(hostile, { minLength: names.length, maxLength: names.length }), (given) => {
        const checked = checkParams(playbook, Object.fromEntries(names.map((name, index) => [name, given[index]])));
        if ('values' in checked) holdToTemplate(playbook, checked.values);
      });
      fc.assert(property, { numRuns: 3000 });
    }
  });

  test.each(['-rf', '--now', 'a\nb', 'a\rb', 'a\0b', 'a\u0085b', 'a\u202eb', 'a\u2028b', 'a\u200bb', '\ud800', ''])(
    'refuses %j for every text and path',
    (value) => {
      for (const playbook of catalog.playbooks.values()) {
        for (const [name, spec] of Object.entries(playbook.params)) {
          if (spec.type !== 'string' && spec.type !== 'path') continue;
          const checked = checkParams(playbook, { [name]: value });
          expect(checked).toMatchObject({ errors: [{ path: `params.${name}`, code: 'invalid_param' }] });
        }
      }
    },
  );

  test.each(['x'.repeat(65), 'a b', 'a;b', '$(id)', '`id`', 'a"b', "a'b", 'a/../b', 'ｎginx', 'NGINX', 'nginx\n'])(
    'restart-service refuses the service %j',
    (service) => {
      const checked = checkParams(findPlaybook(catalog, 'restart_service'), { service });
      expect(checked).toMatchObject({ errors: [{ path: 'params.service', code: 'invalid_param' }] });
    },
  );

  test.each(['/etc/passwd', '/var/log/../x', '/var/logs', '/var//log', '/var/log/', '/var/log/.', 'var/log', '/'])(
    'clear-logs refuses the path %j',
    (path) => {
      expect(checkParams(findPlaybook(catalog, 'clear-logs'), { path })).toHaveProperty('errors');
    },
  );

  test('shows the built-in step by its name and key=value, confined to the directories of its parameter', () => {
    const playbook = findPlaybook(catalog, 'clear-logs');
    expect(previewSteps(playbook, { path: '/var/log/app' })).toEqual([['clear-logs', 'path=/var/log/app']]);
    expect(renderSteps(playbook, { path: '/var/log/app' }).steps).toEqual([
      { kind: 'uses', uses: 'clear-logs', with: { path: '/var/log/app' }, within: { path: ['/var/log'] } },
    ]);
  });
});

describe('a parameter that accepts any text', () => {
  const text = [
    'name: print',
    'title: Print',
    'risk: low',
    'timeout: 5s',
    'params: { word: { type: string, required: true } }',
    'steps:',
    `  - run: [${JSON.stringify(process.execPath)}, ${JSON.stringify(PRINT_ARGUMENTS)}, "\${word}", "--word=\${word}", last]`,
  ].join('\n');
  const { playbook } = parsePlaybook({ file: 'print.yaml', text });
  if (playbook === undefined) throw new Error('the fixture is broken');

  test.each([
    ['a b  c'],
    ['  a  '],
    ['"; rm -rf / #'],
    ["'quoted'"],
    ['$(id) `id` ${HOME} $HOME'],
    ['a && b | c > /tmp/x'],
    ['*?[a-z]{b,c}~'],
    ['../../etc/passwd'],
    ['=--x=y'],
    ['\\n\\0\\'],
    ['${word}'],
    ['$& $1 $$'],
    ['żółć 名前 🙂'],
    ['x'.repeat(256)],
  ])('reaches the process as exactly one argument: %j', (word) => {
    const checked = checkParams(playbook, { word });
    if ('errors' in checked) throw new Error(JSON.stringify(checked.errors));
    const [step] = renderSteps(playbook, checked.values).steps;
    if (step?.kind !== 'run') throw new Error('no step to run');
    const [program = '', ...rest] = step.argv;
    expect(JSON.parse(execFileSync(program, rest, { encoding: 'utf8' }))).toEqual([word, `--word=${word}`, 'last']);
  });

  test('is rendered as it is, 10,000 times', () => {
    const property = fc.property(generateValid({ type: 'string', maxLength: 256, required: true }), (word) => {
      const checked = checkParams(playbook, { word });
      if ('errors' in checked) throw new Error(JSON.stringify(checked.errors));
      holdToTemplate(playbook, checked.values);
    });
    fc.assert(property, { numRuns: VALUES_PER_PLAYBOOK });
  });

  test.each([{ word: '-x' }, { word: 'a\nb' }, { word: '' }, {}])(
    'is not rendered with %j, checked or not',
    (values) => {
      expect(() => renderSteps(playbook, values)).toThrow(expect.objectContaining({ code: 'invalid_params' }));
    },
  );
});

describe('effectiveTimeoutMs', () => {
  const playbook = findPlaybook(catalog, 'restart-service');

  test('is the playbook’s own, or the requested one up to its longest', () => {
    expect(effectiveTimeoutMs(playbook)).toBe(60_000);
    expect(effectiveTimeoutMs(playbook, 1000)).toBe(1000);
    expect(effectiveTimeoutMs(playbook, 600_000)).toBe(600_000);
  });

  test.each([
    [600_001, 'timeout_too_long'],
    [999, 'invalid_timeout'],
    [0, 'invalid_timeout'],
    [-1, 'invalid_timeout'],
    [1500.5, 'invalid_timeout'],
    [NaN, 'invalid_timeout'],
    [Infinity, 'invalid_timeout'],
  ])('refuses %s ms as %s', (requestedMs, code) => {
    const fields = [expect.objectContaining({ path: 'timeout_s', code })];
    expect(() => effectiveTimeoutMs(playbook, requestedMs)).toThrow(expect.objectContaining({ code, fields }));
  });
});
