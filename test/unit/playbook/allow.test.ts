import { describe, expect, test } from '@jest/globals';
import { addToAllowFile } from '../../../playbook/allow-edit.ts';
import { judgeAllowed, parseAllowFile } from '../../../playbook/allow.ts';
import { createCatalog, findPlaybook } from '../../../playbook/catalog.ts';
import { SHIPPED_FILES } from './shipped-playbooks.ts';

const catalog = createCatalog(SHIPPED_FILES);

describe('allow.yaml', () => {
  const playbook = findPlaybook(catalog, 'restart-service');
  const judge = (allow: string, service: string) => {
    const { allowFile, problems } = parseAllowFile({ file: 'allow.yaml', text: `version: 1\nallow: ${allow}\n` });
    if (allowFile === undefined) throw new Error(JSON.stringify(problems));
    return judgeAllowed({ allowFile, playbook, values: { service } }).isAllowed;
  };

  test.each([
    ['{ restart-service: { service: [nginx, "app-*"] } }', 'nginx', true],
    ['{ restart-service: { service: [nginx, "app-*"] } }', 'app-1', true],
    ['{ restart-service: { service: [nginx, "app-*"] } }', 'app-1/x', false],
    ['{ restart-service: { service: [nginx, "app-*"] } }', 'sshd', false],
    ['{ restart-service: "*" }', 'sshd', true],
    ['{ restart-service: { service: "*" } }', 'sshd', true],
    ['{ restart-service: {} }', 'nginx', false],
    ['{}', 'nginx', false],
    ['{ restart-service: { servce: [nginx] } }', 'nginx', false],
  ])('%s judges %s as %s', (allow, service, isAllowed) => {
    expect(judge(allow, service)).toBe(isAllowed);
  });

  test('gains an entry and keeps its comments', () => {
    const entry = { playbook: 'restart_service', params: { service: ['nginx', 'on'] } };
    const text = addToAllowFile('# mine\nversion: 1\nallow:\n  check-service: {} # why\n', entry);
    expect(text).toContain('# mine');
    expect(text).toContain('# why');
    expect(addToAllowFile(text, entry)).toBe(text);
    expect(parseAllowFile({ file: 'allow.yaml', text }).allowFile?.allow['restart-service']).toEqual({
      service: ['nginx', 'on'],
    });
  });
});

describe('what is permitted', () => {
  const check = findPlaybook(catalog, 'check-service');
  const clear = findPlaybook(catalog, 'clear-logs');
  const permit = (permitted: string) => {
    const { allowFile } = parseAllowFile({ file: 'allow.yaml', text: `version: 1\nallow: ${permitted}\n` });
    if (allowFile === undefined) throw new Error('broken');
    return allowFile;
  };

  test.each([
    ['{ check-service: {} }', 'nginx', 20, 'allow.yaml of this server names no values for service of check-service.'],
    ['{ check_service: { service: [nginx] } }', 'nginx', 20, undefined],
    ['{ check-service: { service: ["*"] } }', 'a/b', 20, undefined],
    [
      '{ check-service: { service: [], lines: [20] } }',
      'nginx',
      20,
      'allow.yaml of this server does not permit service=nginx for check-service.',
    ],
    ['{ check-service: { service: "*", lines: [20] } }', 'nginx', 20, undefined],
    [
      '{ check-service: { service: "*", lines: [20] } }',
      'nginx',
      21,
      'allow.yaml of this server does not permit lines=21 for check-service.',
    ],
    ['{ check-service: "*" }', 'nginx', 21, undefined],
    ['{ check-servce: "*" }', 'nginx', 21, 'allow.yaml of this server does not name check-service.'],
    [
      '{ check-service: { servce: "*" } }',
      'nginx',
      21,
      'allow.yaml names "servce", which is no parameter of check-service.',
    ],
  ])('by %s for %s, %i', (permitted, service, lines, reason) => {
    const judged = judgeAllowed({ allowFile: permit(permitted), playbook: check, values: { service, lines } });
    expect(judged).toEqual(reason === undefined ? { isAllowed: true } : { isAllowed: false, reason });
  });

  test.each([
    ['/var/log/*', '/var/log/a', true],
    ['/var/log/*', '/var/log/a/b', false],
    ['/var/log/**', '/var/log/a/b', true],
    ['/var/log/a', '/var/log/a/b', false],
    ['*', '/var/log/a/b', true],
    ['/var/log/[ab].?', '/var/log/a.x', false],
  ])('by the path %s for %s: %s', (glob, path, isAllowed) => {
    const allowFile = permit(`{ clear-logs: { path: ["${glob}"] } }`);
    expect(judgeAllowed({ allowFile, playbook: clear, values: { path } }).isAllowed).toBe(isAllowed);
  });
});

describe('a broken allow.yaml', () => {
  test.each([
    ['allow: {}', 'allow.yaml:1:1', 'missing_key'],
    ['version: 2\nallow: {}', 'allow.yaml:1:10', 'invalid_value'],
    ['version: "1"\nallow: {}', 'allow.yaml:1:10', 'invalid_type'],
    ['version: 1\nallow: [restart-service]', 'allow.yaml:2:8', 'invalid_type'],
    ['version: 1\nallow: {}\nmasks: []', 'allow.yaml:3:1', 'unknown_key'],
    ['version: 1\nallow:\n  Restart: "*"', 'allow.yaml:3:3', 'invalid_name'],
    ['version: 1\nallow:\n  a_b: "*"\n  a-b: {}', 'allow.yaml:4:3', 'duplicate_key'],
    ['version: 1\nallow:\n  a: true', 'allow.yaml:3:6', 'invalid_type'],
    ['version: 1\nallow:\n  a: { b: nginx }', 'allow.yaml:3:11', 'invalid_type'],
    ['version: 1\nallow:\n  a: { b: [{}] }', 'allow.yaml:3:12', 'invalid_type'],
    ['version: 1\nallow:\n  a: { b: [on] }', 'allow.yaml:3:12', 'ambiguous_yaml'],
    ['version: 1\nallow: {}\nmask: ["("]', 'allow.yaml:3:8', 'invalid_pattern'],
    ['version: 1\nallow: {}\nmask: ["(a+)+"]', 'allow.yaml:3:8', 'invalid_pattern'],
    ['version: 1\nallow: {', 'allow.yaml:2:9', 'invalid_yaml'],
    ['', 'allow.yaml:1:1', 'empty_document'],
  ])('%j is told at %s as %s and permits nothing', (text, place, code) => {
    const { allowFile, problems } = parseAllowFile({ file: 'allow.yaml', text });
    expect(allowFile).toBeUndefined();
    expect(problems.map((p) => [`${p.file}:${p.line}:${p.column}`, p.code])).toEqual([[place, code]]);
  });

  test('is not added to', () => {
    const entry = { playbook: 'restart-service', params: { service: ['nginx'] } };
    expect(() => addToAllowFile('version: 1\nallow: []\n', entry)).toThrow(
      expect.objectContaining({ code: 'invalid_allow_file', message: expect.stringContaining('allow.yaml:2:8') }),
    );
  });
});
