import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { enrolAgent } from './agent-client.ts';
import type { AgentClient } from './agent-client.ts';
import { writeConfigurationFolder } from './configuration-folder.ts';
import type { ConfigurationTimes } from './configuration-folder.ts';
import { eventually } from './eventually.ts';
import { createExternalParts } from './external-parts.ts';
import { exchange } from './http-exchange.ts';
import type { Answer, Json } from './http-exchange.ts';
import { findFreePort, runMedic, startMedic } from './medic-process.ts';
import type { Finished, RunningMedic } from './medic-process.ts';
import { makeSigningKeyPem } from './signatures.ts';
import { createSlackPerson } from './slack-person.ts';
import type { SlackPerson, SlackWire } from './slack-person.ts';
import { BOT_TOKEN, CHANNEL, startSlackStandIn } from './slack-stand-in.ts';
import type { SlackStandIn } from './slack-stand-in.ts';

const START_MS = 60_000; // a cold start on a busy machine

/** The API with one principal's token in one role. */
export interface Caller {
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** A `medic server` in a process of its own, on external parts, reached as anybody outside reaches it. */
export interface ControlPlane {
  baseUrl: string;
  configFolder: string;
  env: Record<string, string>;
  slack: SlackStandIn;
  wire: SlackWire;
  server(): RunningMedic;
  token(principal: string, role: string): Promise<string>;
  as(principal: string, role: string): Promise<Caller>;
  person(slackUserId: string): SlackPerson;
  cli(args: readonly string[], input?: { env?: Record<string, string>; stdin?: string }): Promise<Finished>;
  enrol(name: string, tags?: string[]): Promise<AgentClient>;
  start(): Promise<void>;
  /** Ends everything and removes what it left, also after a failed start. */
  close(): Promise<void>;
}

export async function startControlPlane(times: ConfigurationTimes = {}): Promise<ControlPlane> {
  const parts = await createExternalParts();
  const slack = await startSlackStandIn();
  const configFolder = writeConfigurationFolder(times);
  const port = await findFreePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const signingSecret = randomBytes(16).toString('hex');
  const env = {
    DATABASE_URL: parts.databaseUrl,
    TEMPORAL_ADDRESS: parts.temporalAddress,
    TEMPORAL_NAMESPACE: parts.temporalNamespace,
    SLACK_API_URL: slack.apiUrl,
    SLACK_BOT_TOKEN: BOT_TOKEN,
    SLACK_SIGNING_SECRET: signingSecret,
    MEDIC_SLACK_CHANNEL: CHANNEL,
    MEDIC_CONFIG: configFolder,
    MEDIC_SIGNING_KEY: makeSigningKeyPem(),
    MEDIC_SECRETS_KEY: randomBytes(32).toString('base64'),
    MEDIC_LISTEN: `127.0.0.1:${port}`,
  };
  const wire = { eventsUrl: `${baseUrl}/slack/events`, signingSecret, slack };
  const plane = assemble({ baseUrl, configFolder, env, slack, wire });
  const close = plane.close;
  plane.close = async () => {
    await close();
    await slack.close();
    await parts.drop();
    rmSync(configFolder, { recursive: true, force: true });
  };
  try {
    expectDone(await plane.cli(['migrate', 'up']), 'migrate up');
    await plane.start();
  } catch (error) {
    await plane.close();
    throw error;
  }
  return plane;
}

function assemble(fixed: Pick<ControlPlane, 'baseUrl' | 'configFolder' | 'env' | 'slack' | 'wire'>): ControlPlane {
  const { baseUrl, env, wire } = fixed;
  const tokens = new Map<string, Promise<string>>();
  let running: RunningMedic | undefined;
  const plane: ControlPlane = {
    ...fixed,
    server: () => running ?? fail('The server was not started.'),
    token(principal, role) {
      const made = tokens.get(`${principal} ${role}`) ?? makeToken(plane, principal, role);
      tokens.set(`${principal} ${role}`, made);
      return made;
    },
    as: async (principal, role) => createCaller(baseUrl, await plane.token(principal, role)),
    person: (slackUserId) => createSlackPerson(wire, slackUserId),
    cli: (args, input = {}) => runMedic(args, { ...env, ...input.env }, input.stdin),
    async enrol(name, tags = []) {
      const admin = await plane.as('adm', 'admin');
      const made = await admin.post('/api/v1/servers/enrollment-tokens', { server_name: name, tags });
      return enrolAgent({ baseUrl, token: String(made.body?.token), name });
    },
    async start() {
      running = startMedic(['server'], env);
      await awaitReady(baseUrl, running);
    },
    async close() {
      running?.killAll();
      await running?.ended;
    },
  };
  return plane;
}

async function awaitReady(baseUrl: string, running: RunningMedic): Promise<void> {
  let hasEnded = false;
  void running.ended.then(() => (hasEnded = true));
  await eventually(
    'medic server to be ready',
    async () => {
      if (hasEnded) fail(`medic server ended:\n${running.output()}`);
      const answer = await exchange({ method: 'GET', url: `${baseUrl}/readyz` }).catch(() => undefined);
      return answer?.status === 200;
    },
    { withinMs: START_MS, seen: () => running.output().slice(-2000) },
  );
}

async function makeToken(plane: ControlPlane, principal: string, role: string): Promise<string> {
  const made = await plane.cli(['token', 'create', '--principal', principal, '--role', role, '--json']);
  expectDone(made, `token create for ${principal}`);
  return String((JSON.parse(made.stdout) as Json).token);
}

export function createCaller(baseUrl: string, token: string | undefined): Caller {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  function call(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return exchange({ method, url: `${baseUrl}${path}`, body, headers: { ...authorization, ...headers } });
  }
  return {
    get: (path) => call('GET', path, undefined),
    post: (path, body, headers) => call('POST', path, body, headers),
    put: (path, body, headers) => call('PUT', path, body, headers),
  };
}

export function expectDone(finished: Finished, what: string): void {
  if (finished.exitCode !== 0) fail(`${what} exited ${finished.exitCode}:\n${finished.stdout}${finished.stderr}`);
}

function fail(sentence: string): never {
  throw new Error(sentence);
}
