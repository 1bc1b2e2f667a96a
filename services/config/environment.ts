import { readFileSync } from 'node:fs';
import { ConfigurationError } from '../../domain/errors.ts';
import type { FieldError } from '../../domain/errors.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import { ENVIRONMENT_NAMES, ENVIRONMENT_SCHEMA, SECRET_NAMES } from './environment-schema.ts';
import type { LOG_LEVELS } from './environment-schema.ts';
import type { ListenAddress } from './listen-address.ts';

/** What one process was told, checked and frozen. Null: not set. Secrets stand here in clear: never log it whole. */
export interface Environment {
  databaseUrl: string | null;
  temporal: { address: string | null; namespace: string; apiKey: string | null; isTls: boolean };
  slack: {
    botToken: string | null;
    appToken: string | null;
    signingSecret: string | null;
    /** Null: Slack's own. */
    apiUrl: string | null;
    channel: string | null;
  };
  listen: ListenAddress;
  /** PEM texts. */
  tls: { cert: string; key: string } | null;
  isBehindProxy: boolean;
  externalUrl: string | null;
  signingKeyPem: string | null;
  secretsKey: Buffer | null;
  configDirectory: string | null;
  logLevel: (typeof LOG_LEVELS)[number];
  client: { url: string | null; token: string | null };
}

export type RawEnvironment = Readonly<Record<string, string | undefined>>;

/** Set by Medic itself: for the processes that an agent starts, and by the test runner. */
const INTERNAL_NAMES = /^MEDIC_(?:COMMAND_ID$|TEST_)/;

/**
 * Reads every setting and tells every mistake at once. An empty value counts as not set. Throws ConfigurationError
 * `invalid_environment`, or the mistake's own code where there is only one (`unknown_setting`, `unprotected_listen`, …).
 */
export function readEnvironment(env: RawEnvironment): Environment {
  const problems = findUnknownNames(env);
  const values = collectValues(env, problems);
  const parsed = ENVIRONMENT_SCHEMA.safeParse(values);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path.join('.');
      const params = issue.code === 'custom' ? issue.params : undefined;
      const code = typeof params?.['code'] === 'string' ? params['code'] : 'malformed_setting';
      problems.push({ path, code, message: `${path} ${issue.message}.` });
    }
  }
  if (problems.length > 0 || !parsed.success) throw refuse(problems);
  const tls = readTls(parsed.data, problems);
  if (problems.length > 0) throw refuse(problems);
  return freeze(parsed.data, tls);
}

function findUnknownNames(env: RawEnvironment): FieldError[] {
  const known: string[] = [...ENVIRONMENT_NAMES, ...SECRET_NAMES.map((name) => `${name}_FILE`)];
  return Object.keys(env)
    .filter((name) => name.startsWith('MEDIC_') && !known.includes(name) && !INTERNAL_NAMES.test(name))
    .map((name) => {
      const ours = known.filter((candidate) => candidate.startsWith('MEDIC_'));
      const message = `${name} is no setting of Medic.${suggestNearest(name, ours)}`;
      return { path: name, code: 'unknown_setting', message };
    });
}

function collectValues(env: RawEnvironment, problems: FieldError[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of ENVIRONMENT_NAMES) {
    const value = env[name];
    if (value !== undefined && value.trim() !== '') values[name] = value.trim();
  }
  for (const name of SECRET_NAMES) {
    const file = env[`${name}_FILE`];
    if (file === undefined || file === '') continue;
    if (values[name] !== undefined) {
      const message = `${name} and ${name}_FILE are both set; keep one of the two.`;
      problems.push({ path: name, code: 'set_twice', message });
      continue;
    }
    const text = readTextFile(file, `${name}_FILE`, problems)?.trim();
    if (text === '') {
      problems.push({ path: `${name}_FILE`, code: 'empty_file', message: `${name}_FILE: ${file} is empty.` });
    } else if (text !== undefined) values[name] = text;
  }
  return values;
}

function readTextFile(file: string, name: string, problems: FieldError[]): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    problems.push({ path: name, code: 'unreadable_file', message: `${name}: ${file} cannot be read (${reason}).` });
    return undefined;
  }
}

type Parsed = (typeof ENVIRONMENT_SCHEMA)['_output'];

/** Both are PEM texts, or paths of PEM files. */
function readTls(parsed: Parsed, problems: FieldError[]): { cert: string; key: string } | null {
  if (parsed.MEDIC_TLS_CERT === undefined || parsed.MEDIC_TLS_KEY === undefined) return null;
  const read = (value: string, name: string): string =>
    value.startsWith('-----BEGIN') ? readPem(value) : (readTextFile(value, name, problems) ?? '');
  return { cert: read(parsed.MEDIC_TLS_CERT, 'MEDIC_TLS_CERT'), key: read(parsed.MEDIC_TLS_KEY, 'MEDIC_TLS_KEY') };
}

/** An environment file holds no line breaks, so `\n` stands for one there. */
function readPem(text: string): string {
  return text.replaceAll('\\n', '\n');
}

function freeze(parsed: Parsed, tls: Environment['tls']): Environment {
  return Object.freeze<Environment>({
    databaseUrl: parsed.DATABASE_URL ?? null,
    temporal: Object.freeze({
      address: parsed.TEMPORAL_ADDRESS ?? null,
      namespace: parsed.TEMPORAL_NAMESPACE,
      apiKey: parsed.TEMPORAL_API_KEY ?? null,
      isTls: parsed.TEMPORAL_TLS || parsed.TEMPORAL_API_KEY !== undefined, // Temporal takes keys over TLS only
    }),
    slack: Object.freeze({
      botToken: parsed.SLACK_BOT_TOKEN ?? null,
      appToken: parsed.SLACK_APP_TOKEN ?? null,
      signingSecret: parsed.SLACK_SIGNING_SECRET ?? null,
      apiUrl: parsed.SLACK_API_URL ?? null,
      channel: parsed.MEDIC_SLACK_CHANNEL ?? null,
    }),
    listen: Object.freeze(parsed.MEDIC_LISTEN),
    tls: tls === null ? null : Object.freeze(tls),
    isBehindProxy: parsed.MEDIC_BEHIND_PROXY,
    externalUrl: parsed.MEDIC_EXTERNAL_URL ?? null,
    signingKeyPem: parsed.MEDIC_SIGNING_KEY === undefined ? null : readPem(parsed.MEDIC_SIGNING_KEY),
    secretsKey: parsed.MEDIC_SECRETS_KEY ?? null,
    configDirectory: parsed.MEDIC_CONFIG ?? null,
    logLevel: parsed.MEDIC_LOG_LEVEL,
    client: Object.freeze({ url: parsed.MEDIC_URL ?? null, token: parsed.MEDIC_TOKEN ?? null }),
  });
}

function refuse(problems: readonly FieldError[]): ConfigurationError {
  const [first] = problems;
  const code = problems.length === 1 && first !== undefined ? first.code : 'invalid_environment';
  return new ConfigurationError(problems.map(({ message }) => message).join('\n'), { code, fields: problems });
}
