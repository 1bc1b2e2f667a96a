import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigurationError } from '../../domain/errors.ts';
import { generatePrivateKeyPem } from '../../protocol/keys.ts';
import { readEnvironment } from '../../services/config/environment.ts';
import type { RawEnvironment } from '../../services/config/environment.ts';
import { formatHostPort, isLoopbackHost, parseListenAddress } from '../../services/config/listen-address.ts';
import { loadSigner, requireSettings } from '../../services/config/required-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'medic-environment-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function refusal(env: RawEnvironment): ConfigurationError {
  try {
    readEnvironment(env);
  } catch (error) {
    return error as ConfigurationError;
  }
  throw new Error('it was accepted');
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('reading the environment', () => {
  test('nothing set gives the defaults, and no secret has one', () => {
    const environment = readEnvironment({ PATH: '/bin' });
    expect(environment).toMatchObject({
      databaseUrl: null,
      temporal: { address: null, namespace: 'default', isTls: false },
      slack: { botToken: null, appToken: null, signingSecret: null, apiUrl: null, channel: null },
      listen: { host: '127.0.0.1', port: 8480 },
      signingKeyPem: null,
      secretsKey: null,
      logLevel: 'info',
    });
    expect(Object.isFrozen(environment)).toBe(true);
  });

  test('an unknown MEDIC_ name is an error with the nearest known one; other names are nobody’s business', () => {
    const error = refusal({ MEDIC_LISTN: '127.0.0.1:1', SLACKISH: 'x', DATABASE: 'y' });
    expect(error.code).toBe('unknown_setting');
    expect(error.message).toBe('MEDIC_LISTN is no setting of Medic. Did you mean "MEDIC_LISTEN"?');
  });

  test('every mistake is told at once, and never the value of a secret', () => {
    const error = refusal({
      MEDIC_LISTN: 'x',
      DATABASE_URL: 'mysql://user:hunter2@host/db',
      SLACK_BOT_TOKEN: 'hunter2',
      MEDIC_SECRETS_KEY: 'aHVudGVyMg==',
      MEDIC_LOG_LEVEL: 'loud',
      MEDIC_SLACK_CHANNEL: '#ops',
    });
    expect(error.code).toBe('invalid_environment');
    expect(error.fields.map(({ path }) => path)).toEqual([
      'MEDIC_LISTN',
      'DATABASE_URL',
      'SLACK_BOT_TOKEN',
      'MEDIC_SLACK_CHANNEL',
      'MEDIC_SECRETS_KEY',
      'MEDIC_LOG_LEVEL',
    ]);
    expect(error.message).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  test('a secret may come from a file, but not twice, and not from one that is away or empty', () => {
    const path = file('token', 'xoxb-1\n');
    expect(readEnvironment({ SLACK_BOT_TOKEN_FILE: path }).slack.botToken).toBe('xoxb-1');
    expect(refusal({ SLACK_BOT_TOKEN_FILE: path, SLACK_BOT_TOKEN: 'xoxb-2' }).code).toBe('set_twice');
    expect(refusal({ SLACK_BOT_TOKEN_FILE: join(folder, 'away') }).code).toBe('unreadable_file');
    expect(refusal({ SLACK_BOT_TOKEN_FILE: file('empty', '\n') }).code).toBe('empty_file');
    expect(refusal({ MEDIC_LOG_LEVEL_FILE: path }).code).toBe('unknown_setting');
  });

  test('an address that others can reach needs TLS or a proxy', () => {
    for (const listen of ['0.0.0.0:8480', ':8480', '[::]:8480', 'medic.example.com:443', '192.0.2.1:1']) {
      expect(refusal({ MEDIC_LISTEN: listen }).code).toBe('unprotected_listen');
    }
    expect(readEnvironment({ MEDIC_LISTEN: '0.0.0.0:8480', MEDIC_BEHIND_PROXY: '1' }).isBehindProxy).toBe(true);
    const tls = { MEDIC_TLS_CERT: file('cert', 'CERT'), MEDIC_TLS_KEY: file('key', 'KEY') };
    expect(readEnvironment({ MEDIC_LISTEN: '0.0.0.0:8480', ...tls }).tls).toEqual({ cert: 'CERT', key: 'KEY' });
    expect(refusal({ MEDIC_TLS_CERT: tls.MEDIC_TLS_CERT }).fields[0]?.path).toBe('MEDIC_TLS_KEY');
  });

  test('addresses are read with their brackets and without tricks', () => {
    expect(parseListenAddress('[::1]:0')).toEqual({ host: '::1', port: 0 });
    expect(parseListenAddress('localhost:80')).toEqual({ host: 'localhost', port: 80 });
    for (const text of ['8480', 'a:b', '::1:80', 'x:65536', '[1.2.3.4]:1', 'http://x:1', '']) {
      expect(parseListenAddress(text)).toBeNull();
    }
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].map(isLoopbackHost)).toEqual([true, true, true, true]);
    expect(['127.evil.example', '10.0.0.1', '::'].map(isLoopbackHost)).toEqual([false, false, false]);
    expect(formatHostPort({ host: '::1', port: 1 })).toBe('[::1]:1');
  });
});

describe('what each part needs', () => {
  test('a missing setting is told in one sentence that says what to set', () => {
    expect(() => {
      requireSettings(readEnvironment({}), ['migrate']);
    }).toThrow('DATABASE_URL is not set: set it to the address of a PostgreSQL ≥ 14');
    const bot = { DATABASE_URL: 'postgres://h/d', TEMPORAL_ADDRESS: 'h:1', SLACK_BOT_TOKEN: 'xoxb-1' };
    expect(() => {
      requireSettings(readEnvironment(bot), ['bot']);
    }).toThrow(/SLACK_APP_TOKEN is not set.*\nMEDIC_SLACK_CHANNEL is not set/);
    requireSettings(readEnvironment({ ...bot, SLACK_SIGNING_SECRET: 's', MEDIC_SLACK_CHANNEL: 'C1' }), ['bot']);
  });

  test('the signing key may stand in one line, and a wrong one is told without being shown', async () => {
    const pem = generatePrivateKeyPem();
    const signer = await loadSigner(readEnvironment({ MEDIC_SIGNING_KEY: pem }));
    const inOneLine = await loadSigner(readEnvironment({ MEDIC_SIGNING_KEY: pem.replaceAll('\n', '\\n') }));
    expect(inOneLine.kid).toBe(signer.kid);
    await expect(loadSigner(readEnvironment({ MEDIC_SIGNING_KEY: 'hunter2' }))).rejects.toMatchObject({
      code: 'bad_signing_key',
      message: expect.not.stringContaining('hunter2'),
    });
    await expect(loadSigner(readEnvironment({}))).rejects.toMatchObject({ code: 'missing_setting' });
  });
});
