import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT_NAMES } from '../../services/config/environment-schema.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GENERATED = ['node_modules', 'dist', 'coverage'];
/** A status of a later capability, and a prefix that is put together. */
const NOT_IN_SOURCES = ['rolled_back', 'present_status'];

const pages = ['README.md', 'CHANGELOG.md', ...listPages('docs')];

describe('the documentation', () => {
  test('is found by this test', () => {
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/contract.md', 'docs/adr/README.md']));
  });

  test.each(pages)('%s links only to what is there', (page) => {
    const broken = listLinks(readPage(page)).filter((link) => !doesResolve(page, link));
    expect(broken).toEqual([]);
  });

  test.each(pages.filter((page) => page !== 'CHANGELOG.md'))('%s names only files that are there', (page) => {
    const folders = listFolders().join('|');
    const named = readPage(page).matchAll(new RegExp(`\`((?:${folders})/[\\w./-]+)\``, 'g'));
    const missing = [...named].map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });
});

describe('the contract', () => {
  const contract = readPage('docs/contract.md');

  test('tells every audit event', () => {
    const source = readPage('domain/audit.ts');
    const names = [...source.matchAll(/^ {2}\| '([a-z]+\.[a-z_]+)'/gm)].map(([, name = '']) => name);
    expect(names).toEqual(expect.arrayContaining(['action.requested', 'config.loaded']));
    expect(names.filter((name) => !contract.includes(`\`${name}\``))).toEqual([]);
  });

  test('tells every environment name', () => {
    expect(ENVIRONMENT_NAMES.filter((name) => !new RegExp(`\`${name}\\b`).test(contract))).toEqual([]);
  });

  test.each(['services', 'api', 'bot', 'agent', 'playbook'])('tells every code that %s/ answers with', (folder) => {
    const codes = listSources(folder).flatMap((file) => listCodes(readPage(file)));
    expect(codes.length).toBeGreaterThan(5);
    expect([...new Set(codes)].filter((code) => !new RegExp(`\\b${code}\\b`).test(contract))).toEqual([]);
  });

  test('names nothing that the sources do not know', () => {
    const folders = [
      'domain',
      'playbook',
      'protocol',
      'db',
      'services',
      'activities',
      'api',
      'bot',
      'agent',
      'cli',
      'sandbox',
    ];
    const known = new Set(
      folders.flatMap(listSources).flatMap((file) => readPage(file).match(/[a-z]+(?:_[a-z]+)+/g) ?? []),
    );
    const named = [...contract.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(100);
    expect([...new Set(named)].filter((name) => !known.has(name) && !NOT_IN_SOURCES.includes(name))).toEqual([]);
  });

  test('tells every way in which an action can end', () => {
    const codes = ['approval_timeout', 'agent_offline', 'queue_timeout', 'server_paused', 'agent_lost'];
    expect(codes.filter((code) => !contract.includes(code))).toEqual([]);
  });
});

describe('the README', () => {
  const readme = readPage('README.md');

  test('names only commands that package.json has', () => {
    const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name = '']) => name);
    expect(named).toEqual(expect.arrayContaining(['demo', 'start', 'test']));
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test('fits a few screens', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(120);
  });
});

test('the table of folders in architecture.md is the tree', () => {
  const table = [...readPage('docs/architecture.md').matchAll(/^\| `([a-z]+)` +\|/gm)].map(([, name = '']) => name);
  expect(table.sort()).toEqual(listFolders());
});

test('every decision stands in the list of decisions', () => {
  const list = readPage('docs/adr/README.md');
  const decisions = readdirSync(join(ROOT, 'docs/adr')).filter((name) => name !== 'README.md');
  expect(decisions.filter((name) => !list.includes(`(${name})`))).toEqual([]);
});

function listPages(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();
}

function listFolders(): string[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !GENERATED.includes(entry.name))
    .map(({ name }) => name)
    .sort();
}

function listSources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

/** Words with an underscore only: those are ours, `custom` is Zod's. */
function listCodes(source: string): string[] {
  return [...source.matchAll(/(?:\bcode: |problems\.add\(\s*[^,]+,\s*)'([a-z]+_[a-z_]+)'/g)].map(
    ([, code = '']) => code,
  );
}

function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** Targets of links and pictures, without those in code. */
function listLinks(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

function doesResolve(page: string, link: string): boolean {
  if (/^https?:/.test(link)) return URL.canParse(link);
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || listAnchors(readPage(target)).includes(anchor);
}

/** As GitHub makes them from headings. */
function listAnchors(text: string): string[] {
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
