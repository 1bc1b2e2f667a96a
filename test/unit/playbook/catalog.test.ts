import { describe, expect, test } from '@jest/globals';
import { createCatalog, findPlaybook } from '../../../playbook/catalog.ts';

const write = (name: string): string =>
  `name: ${name}\ntitle: T\nrisk: low\ntimeout: 5s\nsteps: [{ run: [/bin/true] }]\n`;

describe('a directory of playbooks', () => {
  test('holds each under its name, whatever the order of its files', () => {
    const files = ['b', 'a'].map((name) => ({ file: `playbooks/${name}.yml`, text: write(name) }));
    const { playbooks, problems } = createCatalog(files);
    expect(problems).toEqual([]);
    expect([...playbooks.keys()]).toEqual(['a', 'b']);
  });

  test('takes neither of two files with one name', () => {
    const files = ['a.yaml', 'a.yml', 'b.yaml'].map((file) => ({ file, text: write(file.charAt(0)) }));
    const { playbooks, problems } = createCatalog(files);
    expect([...playbooks.keys()]).toEqual(['b']);
    expect(problems).toEqual([
      {
        file: 'a.yml',
        line: 1,
        column: 1,
        code: 'duplicate_name',
        message: 'The playbook "a" is already in a.yaml; keep one of the two.',
      },
    ]);
  });

  test('takes a playbook only from the file of its name', () => {
    const { playbooks, problems } = createCatalog([{ file: 'a.yaml', text: write('b') }]);
    expect(playbooks.size).toBe(0);
    expect(problems).toMatchObject([{ file: 'a.yaml', line: 1, column: 7, code: 'name_mismatch' }]);
  });

  test('keeps the good ones beside a broken one', () => {
    const files = [
      { file: 'a.yaml', text: write('a') },
      { file: 'b.yaml', text: 'name: b' },
    ];
    const { playbooks, problems } = createCatalog(files);
    expect([...playbooks.keys()]).toEqual(['a']);
    expect(problems.every((problem) => problem.file === 'b.yaml' && problem.code === 'missing_key')).toBe(true);
  });
});

describe('a playbook that a person names', () => {
  const catalog = createCatalog([{ file: 'restart-service.yaml', text: write('restart-service') }]);

  test.each(['restart-service', 'restart_service'])('is found as %s', (typed) => {
    expect(findPlaybook(catalog, typed).name).toBe('restart-service');
  });

  test.each([
    ['restart-servce', 'There is no playbook "restart-servce". Did you mean "restart-service"?'],
    ['reboot', 'There is no playbook "reboot". Known: restart-service.'],
    ['constructor', 'There is no playbook "constructor". Known: restart-service.'],
    ['x\n', 'There is no playbook "x\\n". Known: restart-service.'],
  ])('and is not there as %j is told with what there is', (typed, message) => {
    const fields = [{ path: 'playbook', message, code: 'unknown_playbook' }];
    expect(() => findPlaybook(catalog, typed)).toThrow(
      expect.objectContaining({ message, code: 'unknown_playbook', fields }),
    );
  });

  test('in an empty directory is told that there is none', () => {
    expect(() => findPlaybook({ playbooks: new Map() }, 'a')).toThrow('There is no playbook "a". Known: none.');
  });
});
