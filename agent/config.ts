import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { ConfigurationError } from '../domain/errors.ts';
import { suggestNearest } from '../domain/nearest-word.ts';

export interface AgentConfig {
  controlPlaneUrl: URL;
  agentDir: string;
  playbookDir: string;
  logLevel: string;
}

const OWN = ['MEDIC_CONTROL_PLANE_URL', 'MEDIC_AGENT_DIR', 'MEDIC_AGENT_PLAYBOOKS', 'MEDIC_LOG_LEVEL'];
/** The control plane's and the client's: known here too, because one machine may be all of them. */
const FOREIGN = [
  ...['MEDIC_SLACK_CHANNEL', 'MEDIC_LISTEN', 'MEDIC_TLS_CERT', 'MEDIC_TLS_KEY', 'MEDIC_BEHIND_PROXY'],
  ...['MEDIC_EXTERNAL_URL', 'MEDIC_SIGNING_KEY', 'MEDIC_SECRETS_KEY', 'MEDIC_CONFIG', 'MEDIC_URL', 'MEDIC_TOKEN'],
  ...['MEDIC_SIGNING_KEY_FILE', 'MEDIC_SECRETS_KEY_FILE', 'MEDIC_TOKEN_FILE', 'MEDIC_TLS_KEY_FILE', 'MEDIC_COMMAND_ID'],
];
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws ConfigurationError with one sentence for the first thing that is wrong. */
export function readAgentConfig(env: Environment): AgentConfig {
  rejectUnknownNames(env);
  return {
    controlPlaneUrl: readUrl(require(env, 'MEDIC_CONTROL_PLANE_URL', 'the address of the control plane')),
    agentDir: readAgentDir(env),
    playbookDir: readPlaybookDir(env),
    logLevel: readLogLevel(env),
  };
}

export function readAgentDir(env: Environment): string {
  rejectUnknownNames(env);
  return readDirectory(env, 'MEDIC_AGENT_DIR', 'the folder for the agent’s key and journal');
}

export function readPlaybookDir(env: Environment): string {
  rejectUnknownNames(env);
  return readDirectory(env, 'MEDIC_AGENT_PLAYBOOKS', 'the folder with this server’s playbooks and allow.yaml');
}

function rejectUnknownNames(env: Environment): void {
  const known = [...OWN, ...FOREIGN];
  const stray = Object.keys(env).find((name) => name.startsWith('MEDIC_') && !known.includes(name));
  if (stray === undefined) return;
  const message = `${stray} is no setting of Medic.${suggestNearest(stray, known)}`;
  throw new ConfigurationError(message, { code: 'unknown_setting' });
}

function require(env: Environment, name: string, meaning: string): string {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  throw new ConfigurationError(`${name} is not set: it is ${meaning}.`, { code: 'missing_setting' });
}

function readDirectory(env: Environment, name: string, meaning: string): string {
  const value = require(env, name, meaning);
  if (isAbsolute(value)) return resolve(value);
  const message = `${name} must be an absolute path, not "${value}".`;
  throw new ConfigurationError(message, { code: 'relative_path' });
}

function readUrl(value: string): URL {
  const name = 'MEDIC_CONTROL_PLANE_URL';
  if (!URL.canParse(value)) {
    throw new ConfigurationError(`${name} must be an address like https://medic.example.com, not "${value}".`, {
      code: 'malformed_url',
    });
  }
  const url = new URL(value);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new ConfigurationError(`${name} must start with https://, not "${url.protocol}//".`, {
      code: 'malformed_url',
    });
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    const message = `${name} must start with https://: plain http is only for an address of this machine, not ${url.hostname}.`;
    throw new ConfigurationError(message, { code: 'plain_http' });
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ConfigurationError(`${name} must be an address alone, without user, query or fragment.`, {
      code: 'malformed_url',
    });
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}

function readLogLevel(env: Environment): string {
  const level = env['MEDIC_LOG_LEVEL'] ?? 'info';
  if (LOG_LEVELS.includes(level)) return level;
  const message = `MEDIC_LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}, not "${level}".${suggestNearest(level, LOG_LEVELS)}`;
  throw new ConfigurationError(message, { code: 'unknown_log_level' });
}
