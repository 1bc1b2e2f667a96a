import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { createManifest } from '../bot/manifest.ts';
import { startControlPlane } from '../cli/control-plane.ts';
import type { ControlPlane } from '../cli/control-plane.ts';
import { explainDatabaseFailure } from '../cli/explain-database-failure.ts';
import { OPERATOR } from '../cli/offline-context.ts';
import { migrateUp } from '../db/migrate.ts';
import { readEnvironment } from '../services/config/environment.ts';
import type { RawEnvironment } from '../services/config/environment.ts';
import { createEnrollmentToken } from '../services/servers/create-enrollment-token.ts';
import { keepAuthenticators } from './authenticators.ts';
import type { Authenticators } from './authenticators.ts';
import { bundleAgent } from './bundle-agent.ts';
import type { DataDir } from './data-dir.ts';
import { takePort } from './ports.ts';
import { startPostgres } from './postgres.ts';
import type { Progress } from './progress.ts';
import { SANDBOX_CHANNEL, keepSandboxConfig } from './sandbox-config.ts';
import { keepSecrets } from './sandbox-secrets.ts';
import type { SandboxSecrets } from './sandbox-secrets.ts';
import type { Shutdown } from './shutdown.ts';
import { createSidePanel } from './side-panel.ts';
import { startSlackWorkspace } from './slack/workspace.ts';
import type { SlackWorkspace } from './slack/workspace.ts';
import { findTemporalCli, startTemporal } from './temporal.ts';
import { runTrialAgent } from './trial/trial-agent.ts';
import { startTrialServers } from './trial/trial-servers.ts';
import type { TrialServers } from './trial/trial-servers.ts';
import { writeTrialPlaybooks } from './trial/trial-playbooks.ts';

export const TRIAL_SERVERS = [
  { name: 'web-1', services: ['shop'] },
  { name: 'web-2', services: ['till'] },
] as const;

export interface SandboxOptions {
  dataDir: DataDir;
  progress: Progress;
  shutdown: Shutdown;
  /** What the person configured: used where it names real parts, and ignored by `demo`. */
  configured: RawEnvironment;
  /** Wanted ports; 0: any. */
  ports: { controlPlane: number; slack: number; temporal: number };
  /** Nothing is kept after the end. */
  isEphemeral?: boolean;
}

/** The page is there before the control plane that the phones are enrolled with. */
interface Phones {
  current: Authenticators | null;
}

export interface Sandbox {
  controlPlane: ControlPlane;
  /** Null where a real Slack is configured. */
  slack: SlackWorkspace | null;
  trial: TrialServers;
  configDir: string;
  addresses: { controlPlane: string; slack: string | null; temporal: string | null };
  /** How long each part took to start, in ms. */
  parts: Record<string, number>;
}

/**
 * Brings everything up on one machine: PostgreSQL, Temporal, a Slack workspace in a page, the control plane, and two
 * servers with their agents. Each part that started is stopped by `shutdown`, also where a later one fails.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { dataDir, progress, shutdown } = options;
  mkdirSync(dataDir.path, { recursive: true, mode: 0o700 });
  const clock = createPartsClock();
  const secrets = keepSecrets(dataDir.at('secrets.json'));
  const [databaseUrl, temporal, agentFile, trial] = await Promise.all([
    clock.time('postgres', () => bringPostgres(options)),
    clock.time('temporal', () => bringTemporal(options)),
    clock.time('agent bundle', () => bringAgentFile(dataDir)),
    clock.time('trial servers', () => bringTrialServers(options)),
  ]);
  const configDir = prepareConfig(options, trial);
  const phones: Phones = { current: null };
  const slack = await clock.time('slack workspace', () => bringSlack(options, { secrets, trial, phones }));
  const environment = readEnvironment({
    ...options.configured,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    MEDIC_SIGNING_KEY: secrets.signingKeyPem.replaceAll('\n', '\\n'),
    MEDIC_SECRETS_KEY: secrets.secretsKey,
    MEDIC_CONFIG: configDir,
    ...(await listenOn(options)),
    ...(slack === null ? {} : slackSettings(slack, secrets)),
  });
  await clock
    .time('migrate', () => migrateUp(databaseUrl))
    .catch((error: unknown) => {
      throw explainDatabaseFailure(error, databaseUrl);
    });
  const log = createLog(dataDir);
  const parts = new Set(['api', 'bot', 'worker'] as const);
  const controlPlane = await clock.time('control plane', () =>
    progress.during('Starting the control plane', () => startControlPlane({ parts, environment, log })),
  );
  shutdown.add('the control plane', () => controlPlane.stop());
  if (options.isEphemeral !== true) phones.current = await bringPhones(options, controlPlane);
  const controlPlaneUrl = controlPlane.url ?? '';
  await clock.time('agents', () =>
    Promise.all(trial.servers.map((server) => bringAgent(options, { server, controlPlane, agentFile, log }))),
  );
  return {
    controlPlane,
    slack,
    trial,
    configDir,
    parts: clock.parts,
    addresses: { controlPlane: controlPlaneUrl, slack: slack?.url ?? null, temporal: temporal.uiUrl },
  };
}

/** Where the configuration is the person's own, so are the phones: `medic principal totp` enrols them. */
async function bringPhones(
  { configured, dataDir }: SandboxOptions,
  { ctx }: ControlPlane,
): Promise<Authenticators | null> {
  if (configured['MEDIC_CONFIG'] !== undefined || configured['DATABASE_URL'] !== undefined) return null;
  return keepAuthenticators({ ctx, operator: OPERATOR, file: dataDir.at('authenticators.json') });
}

/** A configured directory is the person's own: nothing is ever written there. */
function prepareConfig({ configured, dataDir, progress }: SandboxOptions, trial: TrialServers): string {
  const own = configured['MEDIC_CONFIG'];
  if (own !== undefined) {
    progress.say(`The configuration is yours, in ${own}: the playbooks of the trial servers are not in it.`);
    return own;
  }
  const directory = dataDir.at('config');
  keepSandboxConfig(directory);
  writeTrialPlaybooks(join(directory, 'playbooks'), trial.paths);
  return directory;
}

function createPartsClock(): {
  parts: Record<string, number>;
  time<T>(name: string, work: () => Promise<T>): Promise<T>;
} {
  const parts: Record<string, number> = {};
  return {
    parts,
    time: async (name, work) => {
      const startedAt = performance.now();
      const value = await work();
      parts[name] = Math.round(performance.now() - startedAt);
      return value;
    },
  };
}

async function bringPostgres({
  configured,
  dataDir,
  progress,
  shutdown,
  isEphemeral,
}: SandboxOptions): Promise<string> {
  const url = configured['DATABASE_URL'];
  if (url !== undefined) return url;
  const postgres = await progress.during('Starting PostgreSQL', () =>
    startPostgres({ dataDir: dataDir.at('postgres'), isEphemeral: isEphemeral ?? false }),
  );
  shutdown.add('PostgreSQL', () => postgres.stop());
  if (postgres.rootFolder !== null) {
    progress.say(`PostgreSQL does not run as root: its files are in ${postgres.rootFolder}.`);
  }
  return postgres.url;
}

async function bringTemporal(options: SandboxOptions): Promise<{ address: string; uiUrl: string | null }> {
  const { configured, dataDir, progress, shutdown } = options;
  const address = configured['TEMPORAL_ADDRESS'];
  if (address !== undefined) return { address, uiUrl: null };
  const cliPath = await findTemporalCli({ progress });
  const temporal = await progress.during('Starting Temporal', () =>
    startTemporal({ cliPath, dbFile: dataDir.at('temporal', 'temporal.db'), uiPort: options.ports.temporal }),
  );
  shutdown.add('Temporal', () => temporal.stop());
  for (const remark of temporal.remarks) progress.say(remark);
  return temporal;
}

async function bringAgentFile(dataDir: DataDir): Promise<string> {
  const { outfile } = await bundleAgent({ outfile: dataDir.at('agent', 'medic-agent.mjs') });
  return outfile;
}

async function bringTrialServers({ dataDir, progress, shutdown }: SandboxOptions): Promise<TrialServers> {
  const servers = TRIAL_SERVERS.map(({ name, services }) => ({ name, services: [...services] }));
  const trial = await progress.during('Starting two servers to try things on', () =>
    startTrialServers({ dir: dataDir.at('trial'), servers }),
  );
  shutdown.add('the trial servers', () => trial.stop());
  return trial;
}

async function bringSlack(
  options: SandboxOptions,
  { secrets, trial, phones }: { secrets: SandboxSecrets; trial: TrialServers; phones: Phones },
): Promise<SlackWorkspace | null> {
  if (options.configured['SLACK_BOT_TOKEN'] !== undefined) return null; // a real Slack: never a stand-in beside it
  const { port, sentence } = await takePort(options.ports.slack);
  if (sentence !== null) options.progress.say(sentence);
  const workspace = await startSlackWorkspace({
    port,
    ...(options.isEphemeral === true ? {} : { dataFile: options.dataDir.at('slack', 'workspace.jsonl') }),
    botToken: secrets.slackBotToken,
    appToken: secrets.slackAppToken,
    channels: [{ id: SANDBOX_CHANNEL, name: 'medic-ops' }],
    manifest: createManifest({ mode: 'socket' }),
    sidePanel: createSidePanel(trial, () => phones.current?.lines() ?? []),
  });
  options.shutdown.add('the Slack workspace', () => workspace.stop());
  return workspace;
}

function slackSettings(slack: SlackWorkspace, secrets: SandboxSecrets): RawEnvironment {
  return {
    SLACK_BOT_TOKEN: secrets.slackBotToken,
    SLACK_APP_TOKEN: secrets.slackAppToken,
    SLACK_API_URL: slack.apiUrl,
    MEDIC_SLACK_CHANNEL: SANDBOX_CHANNEL,
  };
}

async function listenOn({ configured, ports, progress }: SandboxOptions): Promise<RawEnvironment> {
  if (configured['MEDIC_LISTEN'] !== undefined) return {};
  const { port, sentence } = await takePort(ports.controlPlane);
  if (sentence !== null) progress.say(sentence);
  return { MEDIC_LISTEN: `127.0.0.1:${port}` };
}

/** The screen belongs to the person; what the parts say goes to a file. */
function createLog(dataDir: DataDir): Logger {
  const file = dataDir.at('medic.log');
  return pino({ level: 'info' }, pino.destination({ dest: file, mkdir: true, sync: false }));
}

async function bringAgent(
  { progress, shutdown }: SandboxOptions,
  input: { server: TrialServers['servers'][number]; controlPlane: ControlPlane; agentFile: string; log: Logger },
): Promise<void> {
  const { server, controlPlane, agentFile, log } = input;
  const agent = await progress.during(`Starting the agent on ${server.name}`, () =>
    runTrialAgent({
      agentFile,
      agentDir: server.agentDir,
      playbookDir: server.playbookDir,
      controlPlaneUrl: controlPlane.url ?? '',
      createEnrollToken: async () =>
        (await createEnrollmentToken(controlPlane.ctx, OPERATOR, { serverName: server.name, tags: ['trial'] })).token,
      log: (line) => {
        log.info({ server: server.name }, line);
      },
    }),
  );
  shutdown.add(`the agent on ${server.name}`, () => agent.stop());
}

/** True where an earlier start left its data. */
export function hasData(dataDir: DataDir): boolean {
  return existsSync(dataDir.at('secrets.json'));
}
