import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { judgeAllowed, parseAllowFile } from '../../../playbook/allow.ts';
import { createCatalog, findPlaybook } from '../../../playbook/catalog.ts';
import { formatProblem } from '../../../playbook/format-problem.ts';
import { checkParams, coerceTypedParams } from '../../../playbook/params.ts';
import { parsePlaybook } from '../../../playbook/parse.ts';
import { previewSteps } from '../../../playbook/render.ts';

const GUIDE = readFileSync(new URL('../../../docs/guides/write-a-playbook.md', import.meta.url), 'utf8');

function takeBlock(title: string): string {
  const block = new RegExp(`^\`\`\`[a-z]+ title="${title}"\n([^]*?)^\`\`\`$`, 'm').exec(GUIDE);
  if (block?.[1] === undefined) throw new Error(`The guide has no block ${title}`);
  return block[1];
}

function readTyped(text: string): Record<string, string> {
  return Object.fromEntries(text.split(' ').map((word) => word.split('=') as [string, string]));
}

const catalog = createCatalog([{ file: 'reload-nginx.yaml', text: takeBlock('reload-nginx.yaml') }]);
const { allowFile, problems: allowProblems } = parseAllowFile({ file: 'allow.yaml', text: takeBlock('allow.yaml') });

function judge(asked: string): string {
  const playbook = findPlaybook(catalog, 'reload-nginx');
  const checked = checkParams(playbook, coerceTypedParams(playbook, readTyped(asked)));
  if ('errors' in checked) return 'not accepted';
  if (allowFile === undefined) throw new Error('allow.yaml of the guide is broken');
  return judgeAllowed({ allowFile, playbook, values: checked.values }).isAllowed ? 'runs' : 'not allowed here';
}

describe('the guide "Write a playbook"', () => {
  test('shows a playbook and an allow.yaml without a mistake', () => {
    expect(catalog.problems).toEqual([]);
    expect(allowProblems).toEqual([]);
  });

  test('tells the mistakes of its broken playbook in the words of the parser', () => {
    const { problems } = parsePlaybook({ file: 'broken.yaml', text: takeBlock('broken.yaml') });
    expect(takeBlock('mistakes')).toBe(problems.map((problem) => `${formatProblem(problem)}\n`).join(''));
  });

  test('shows the argv that its dry run renders', () => {
    const asked = /run reload-nginx --dry-run (.+)/.exec(GUIDE)?.[1] ?? '';
    const playbook = findPlaybook(catalog, 'reload-nginx');
    const checked = checkParams(playbook, coerceTypedParams(playbook, readTyped(asked)));
    if ('errors' in checked) throw new Error(JSON.stringify(checked.errors));
    expect(JSON.parse(takeBlock('argv'))).toEqual(previewSteps(playbook, checked.values));
  });

  const rows = [...GUIDE.matchAll(/^\| `([a-z].*=.*)`\s+\| (.*?)\s+\|$/gm)].map((row) => [row[1], row[2]] as const);

  test('judges six requests', () => {
    expect(rows).toHaveLength(6);
  });

  test.each(rows)('is right that %s %s', (asked, answer) => {
    expect(judge(asked ?? '')).toBe(answer);
  });
});
