import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import type { Database } from '../db/orm.ts';
import type { ConfigStore } from './config/config-store.ts';
import type { SlackDirectory } from './slack/directory.ts';
import type { TemporalGateway } from './temporal-gateway.ts';
import type { Wakes } from './wakes.ts';

/** The key that signs commands and checkpoints. */
export interface CommandSigner {
  kid: string;
  privateKey: KeyObject;
  publicJwk: { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string };
}

/** What every use case needs; made once per process. */
export interface Context {
  database: Database;
  temporal: TemporalGateway;
  config: ConfigStore;
  signer: CommandSigner;
  wakes: Wakes;
  /** Who people are in Slack, and who is in its user groups; null where there is no Slack. */
  slackDirectory: SlackDirectory | null;
  /** Encrypts secrets at rest (MEDIC_SECRETS_KEY); null where it is not set. */
  secretsKey: Buffer | null;
  log: Logger;
}
