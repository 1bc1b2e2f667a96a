import { ConfigurationError } from '../../domain/errors.ts';
import type { FieldError } from '../../domain/errors.ts';
import type { CommandSigner } from '../context.ts';
import { importSigningKey } from '../../protocol/keys.ts';
import type { Environment } from './environment.ts';

/** `client` is the CLI that talks to an API. */
export type Part = 'api' | 'bot' | 'worker' | 'migrate' | 'client';

interface Setting {
  name: string;
  read(environment: Environment): unknown;
  whatToSet: string;
}

const DATABASE: Setting = {
  name: 'DATABASE_URL',
  read: ({ databaseUrl }) => databaseUrl,
  whatToSet: 'the address of a PostgreSQL ≥ 14, such as postgres://medic@localhost:5432/medic',
};
const TEMPORAL: Setting = {
  name: 'TEMPORAL_ADDRESS',
  read: ({ temporal }) => temporal.address,
  whatToSet: 'the host:port of a Temporal service, such as localhost:7233',
};
const SIGNING_KEY: Setting = {
  name: 'MEDIC_SIGNING_KEY',
  read: ({ signingKeyPem }) => signingKeyPem,
  whatToSet: 'an Ed25519 private key (PKCS#8 PEM) made with `openssl genpkey -algorithm ed25519`',
};
const BOT_TOKEN: Setting = {
  name: 'SLACK_BOT_TOKEN',
  read: ({ slack }) => slack.botToken,
  whatToSet: 'the bot token (xoxb-…) of the Slack app',
};
const TRANSPORT: Setting = {
  name: 'SLACK_APP_TOKEN',
  read: ({ slack }) => slack.appToken ?? slack.signingSecret,
  whatToSet: 'the app token (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP',
};
const CHANNEL: Setting = {
  name: 'MEDIC_SLACK_CHANNEL',
  read: ({ slack }) => slack.channel,
  whatToSet: 'the id of the channel for cards, such as C0123ABCD',
};
const URL_OF_API: Setting = {
  name: 'MEDIC_URL',
  read: ({ client }) => client.url,
  whatToSet: 'the address of the control plane, such as http://127.0.0.1:8480',
};
const TOKEN: Setting = {
  name: 'MEDIC_TOKEN',
  read: ({ client }) => client.token,
  whatToSet: 'a token made with `medic token create`',
};

const NEEDED: Readonly<Record<Part, readonly Setting[]>> = {
  api: [DATABASE, TEMPORAL, SIGNING_KEY],
  bot: [DATABASE, TEMPORAL, BOT_TOKEN, TRANSPORT, CHANNEL],
  worker: [DATABASE, TEMPORAL],
  migrate: [DATABASE],
  client: [URL_OF_API, TOKEN],
};

/** Throws ConfigurationError `missing_setting` with one sentence for each setting that these parts lack. */
export function requireSettings(environment: Environment, parts: Iterable<Part>): void {
  const wanted = new Set([...parts].flatMap((part) => NEEDED[part]));
  const problems = [...wanted]
    .filter((setting) => setting.read(environment) === null)
    .map((setting): FieldError => {
      const message = `${setting.name} is not set: set it to ${setting.whatToSet}.`;
      return { path: setting.name, code: 'missing_setting', message };
    });
  if (problems.length === 0) return;
  const message = problems.map((problem) => problem.message).join('\n');
  throw new ConfigurationError(message, { code: 'missing_setting', fields: problems });
}

/** The signer of MEDIC_SIGNING_KEY. Throws ConfigurationError `missing_setting` or `bad_signing_key`. */
export async function loadSigner(environment: Environment): Promise<CommandSigner> {
  const pem = environment.signingKeyPem;
  if (pem === null) {
    const message = `MEDIC_SIGNING_KEY is not set: set it to ${SIGNING_KEY.whatToSet}.`;
    throw new ConfigurationError(message, { code: 'missing_setting' });
  }
  const { privateKey, publicKey } = await importSigningKey({ pem, source: 'MEDIC_SIGNING_KEY' });
  return { kid: publicKey.kid, privateKey, publicJwk: publicKey };
}
