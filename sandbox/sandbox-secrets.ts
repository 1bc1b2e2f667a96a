import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { generatePrivateKeyPem } from '../protocol/keys.ts';

/** The secrets of one sandbox, made at its first start and kept: a later start must read what this one signed. */
export interface SandboxSecrets {
  signingKeyPem: string;
  secretsKey: string;
  slackBotToken: string;
  slackAppToken: string;
}

export function keepSecrets(file: string): SandboxSecrets {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as SandboxSecrets;
  const secrets: SandboxSecrets = {
    signingKeyPem: generatePrivateKeyPem(),
    secretsKey: randomBytes(32).toString('base64'),
    slackBotToken: `xoxb-sandbox-${randomBytes(16).toString('hex')}`,
    slackAppToken: `xapp-sandbox-${randomBytes(16).toString('hex')}`,
  };
  writeFileSync(`${file}.tmp`, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
  return secrets;
}
