import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { routeCommand } from '../../bin/bootstrap.mjs';
import { explainNpmFailure } from '../../bin/install.mjs';
import { checkPlatform, locateNode } from '../../bin/platform.mjs';
import { isInstalled, removeRecords, writeStamp } from '../../bin/stamp.mjs';

const ENTRY = { version: '1.0.0', integrity: 'sha512-a' };
const PACKAGES = {
  'node_modules/needed': ENTRY,
  'node_modules/tool': { ...ENTRY, dev: true },
  'node_modules/other-platform': { ...ENTRY, optional: true },
};
const INSTALLED = { 'node_modules/needed': ENTRY, 'node_modules/tool': { ...ENTRY, dev: true } };

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'medic-bootstrap-'));
  writeFileSync(join(root, 'package.json'), '{}');
  writeJson('package-lock.json', { packages: { '': {}, ...PACKAGES } });
  mkdirSync(dirname(locateNode(root)), { recursive: true });
  writeFileSync(locateNode(root), '');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function writeJson(name: string, value: unknown): void {
  writeFileSync(join(root, name), JSON.stringify(value));
}

function recordInstalled(packages: unknown): void {
  writeJson('node_modules/.package-lock.json', { packages });
}

describe('what is installed', () => {
  test('is believed when the stamp is that of the lock', () => {
    writeStamp({ root, hasDev: true });
    expect(isInstalled({ root, needsDev: true })).toBe(true);
  });

  test.each(['package-lock.json', 'package.json'])('is not believed after %s changed', (name) => {
    writeStamp({ root, hasDev: true });
    writeJson(name, { packages: { ...PACKAGES, 'node_modules/new': ENTRY } });
    expect(isInstalled({ root, needsDev: true })).toBe(false);
  });

  test('is not believed when the Node inside is missing', () => {
    writeStamp({ root, hasDev: true });
    rmSync(locateNode(root));
    expect(isInstalled({ root, needsDev: true })).toBe(false);
  });

  test('is not believed where npm was killed before it wrote its record', () => {
    expect(isInstalled({ root, needsDev: true })).toBe(false);
  });

  test('is accepted from npm where a person ran it', () => {
    recordInstalled(INSTALLED);
    expect(isInstalled({ root, needsDev: true })).toBe(true);
  });

  test.each([
    ['a version differs', { ...INSTALLED, 'node_modules/needed': { ...ENTRY, version: '1.0.1' } }],
    ['an integrity differs', { ...INSTALLED, 'node_modules/needed': { ...ENTRY, integrity: 'sha512-b' } }],
    ['a package is missing', { 'node_modules/tool': { ...ENTRY, dev: true } }],
  ])('is refused where %s', (_, packages) => {
    recordInstalled(packages);
    expect(isInstalled({ root, needsDev: false })).toBe(false);
  });

  test('suffices for production without the development packages, and not for the sandbox', () => {
    recordInstalled({ 'node_modules/needed': ENTRY });
    expect(isInstalled({ root, needsDev: false })).toBe(true);
    expect(isInstalled({ root, needsDev: true })).toBe(false);
  });

  test('is unknown again once an install begins', () => {
    recordInstalled(INSTALLED);
    writeStamp({ root, hasDev: true });
    removeRecords(root);
    expect(isInstalled({ root, needsDev: false })).toBe(false);
  });
});

describe('a machine that cannot run Medic', () => {
  test.each([
    [{ platform: 'darwin', arch: 'arm64', hasGlibc: true }, /Linux on x64 or arm64; this is darwin on arm64/],
    [{ platform: 'linux', arch: 'ia32', hasGlibc: true }, /this is linux on ia32/],
    [{ platform: 'linux', arch: 'x64', hasGlibc: false }, /needs a Linux with glibc/],
  ])('is told so: %j', (found, sentence) => {
    expect(() => checkPlatform(found)).toThrow(sentence);
  });

  test.each(['x64', 'arm64'])('is not one with glibc on %s', (arch) => {
    expect(() => checkPlatform({ platform: 'linux', arch, hasGlibc: true })).not.toThrow();
  });
});

describe('what npm says', () => {
  test.each([
    ['npm error code ENOTFOUND', /Connect to the network/],
    ['npm error ENOSPC: no space left on device, write', /the disk is full/],
    ['npm error code EINTEGRITY', /not what the lock names/],
    ["npm error code EACCES\nnpm error permission denied, mkdir '/x'", /belong to you/],
    ['npm error something new', /It said:\nnpm error something new/],
  ])('%j becomes a sentence with the remedy', (output, sentence) => {
    expect(explainNpmFailure(output)).toMatch(sentence);
  });
});

describe('a command', () => {
  test.each([
    [['demo', '--json'], /sandbox\/demo\.ts$/, ['--json']],
    [['start'], /sandbox\/start\.ts$/, []],
    [['test', 'test/unit'], /sandbox\/test-runner\.ts$/, ['test/unit']],
    [['action', 'list'], /cli\/main\.ts$/, ['action', 'list']],
    [['toString'], /cli\/main\.ts$/, ['toString']],
    [[], /cli\/main\.ts$/, []],
  ])('%j goes to its file with its arguments', (args, file, rest) => {
    const route = routeCommand(args);
    expect(route.file).toMatch(file);
    expect(route.rest).toEqual(rest);
  });
});
