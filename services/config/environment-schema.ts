import * as z from 'zod';
import { isLoopbackHost, parseListenAddress } from './listen-address.ts';

/** May also be given as NAME_FILE, the path of a file that holds the value. None has a default. */
export const SECRET_NAMES = [
  'DATABASE_URL',
  'TEMPORAL_API_KEY',
  'SLACK_BOT_TOKEN',
  'SLACK_APP_TOKEN',
  'SLACK_SIGNING_SECRET',
  'MEDIC_TLS_KEY',
  'MEDIC_SIGNING_KEY',
  'MEDIC_SECRETS_KEY',
  'MEDIC_TOKEN',
] as const;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const SECRETS_KEY_BYTES = 32; // AES-256

const flag = z
  .enum(['1', 'true', '0', 'false'], 'must be 1 or 0')
  .transform((value) => value === '1' || value === 'true');
const url = (protocols: readonly string[], example: string) =>
  z.string().refine((value) => hasProtocol(value, protocols), `must be an address such as ${example}`);
const prefixed = (prefix: string, where: string) =>
  z.string().refine((value) => value.startsWith(prefix), `must start with ${prefix}: it stands ${where}`);
const base64Key = z
  .base64('must be 32 bytes in base64: make them with `openssl rand -base64 32`')
  .transform((value) => Buffer.from(value, 'base64'))
  .refine(
    (bytes) => bytes.length === SECRETS_KEY_BYTES,
    'must be exactly 32 bytes in base64: make them with `openssl rand -base64 32`',
  );

/**
 * Every name that Medic reads, with its form (docs/contract.md, section 3). A message is the rest of a sentence that
 * begins with the name; it never repeats the value, which may be a secret.
 */
export const ENVIRONMENT_SCHEMA = z
  .object({
    DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://medic@localhost:5432/medic').optional(),
    TEMPORAL_ADDRESS: z
      .string()
      .regex(/^[^\s/]+:\d{1,5}$/, 'must be host:port, such as localhost:7233')
      .optional(),
    TEMPORAL_NAMESPACE: z.string().default('default'),
    TEMPORAL_API_KEY: z.string().optional(),
    TEMPORAL_TLS: flag.default(false),
    SLACK_BOT_TOKEN: prefixed('xoxb-', 'under “OAuth & Permissions” of the Slack app').optional(),
    SLACK_APP_TOKEN: prefixed('xapp-', 'under “Basic Information” of the Slack app').optional(),
    SLACK_SIGNING_SECRET: z.string().optional(),
    SLACK_API_URL: url(['http:', 'https:'], 'https://slack.com/api/').optional(),
    MEDIC_SLACK_CHANNEL: z
      .string()
      .regex(/^[CG][A-Z0-9]+$/, 'must be the id of a channel, such as C0123ABCD, not its name')
      .optional(),
    MEDIC_LISTEN: z
      .string()
      .default('127.0.0.1:8480')
      .transform(parseListenAddress)
      .refine((address) => address !== null, 'must be host:port, such as 127.0.0.1:8480')
      .transform((address) => address ?? { host: '127.0.0.1', port: 8480 }),
    MEDIC_TLS_CERT: z.string().optional(),
    MEDIC_TLS_KEY: z.string().optional(),
    MEDIC_BEHIND_PROXY: flag.default(false),
    MEDIC_EXTERNAL_URL: url(['http:', 'https:'], 'https://medic.example.com').optional(),
    MEDIC_SIGNING_KEY: z.string().optional(),
    MEDIC_SECRETS_KEY: base64Key.optional(),
    MEDIC_CONFIG: z.string().optional(),
    MEDIC_LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
    MEDIC_URL: url(['http:', 'https:'], 'https://medic.example.com').optional(),
    MEDIC_TOKEN: prefixed('medic_', 'on the screen once, where `medic token create` was run').optional(),
    MEDIC_CONTROL_PLANE_URL: z.string().optional(),
    MEDIC_AGENT_DIR: z.string().optional(),
    MEDIC_AGENT_PLAYBOOKS: z.string().optional(),
  })
  .superRefine((env, context) => {
    const isHalfTls = (env.MEDIC_TLS_CERT === undefined) !== (env.MEDIC_TLS_KEY === undefined);
    if (isHalfTls) {
      const path = env.MEDIC_TLS_CERT === undefined ? 'MEDIC_TLS_CERT' : 'MEDIC_TLS_KEY';
      context.addIssue({ code: 'custom', path: [path], message: 'is missing: a certificate and its key go together' });
    }
    const isProtected = env.MEDIC_TLS_CERT !== undefined || env.MEDIC_BEHIND_PROXY;
    if (!isProtected && !isLoopbackHost(env.MEDIC_LISTEN.host)) {
      const message =
        'is not a loopback address, and tokens would cross the network in clear: set MEDIC_TLS_CERT and MEDIC_TLS_KEY, or MEDIC_BEHIND_PROXY=1 where a proxy ends TLS';
      context.addIssue({ code: 'custom', path: ['MEDIC_LISTEN'], message, params: { code: 'unprotected_listen' } });
    }
  });

export type EnvironmentName = keyof (typeof ENVIRONMENT_SCHEMA)['shape'];
export const ENVIRONMENT_NAMES = Object.keys(ENVIRONMENT_SCHEMA.shape) as EnvironmentName[];

function hasProtocol(value: string, protocols: readonly string[]): boolean {
  return URL.canParse(value) && protocols.includes(new URL(value).protocol);
}
