import { join } from 'node:path';
import { claimDataDir } from './data-dir.ts';
import { explainFailure } from './explain-failure.ts';
import { createProgress } from './progress.ts';
import { readOptions } from './read-options.ts';
import { startSandbox } from './sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import { createShutdown } from './shutdown.ts';

const PORTS = { controlPlane: 8480, slack: 8490, temporal: 8233 }; // contract §1

const USAGE = 'npm start [-- --data FOLDER]: all of Medic on this machine until Ctrl-C; data in .medic/, or in FOLDER.';

/** `npm start`: the whole of Medic on this machine, until Ctrl-C, with its data kept in `.medic/`. */
async function main(): Promise<void> {
  const options = readOptions(USAGE, { data: { type: 'string' } });
  const startedAt = performance.now();
  const progress = createProgress();
  const shutdown = createShutdown({ say: progress.say });
  try {
    const dataDir = claimDataDir(options.data ?? join(import.meta.dirname, '..', '.medic'));
    shutdown.add('the data folder', () => Promise.resolve(dataDir.release()));
    const configured = readConfigured();
    const starting = startSandbox({ dataDir, progress, shutdown, configured, ports: PORTS });
    const sandbox = await Promise.race([starting, shutdown.finished]);
    if (typeof sandbox === 'string') process.exit(0); // asked to stop while starting: what waits for a part waits in vain
    sayReady(progress.say, { sandbox, dataPath: dataDir.path, ms: performance.now() - startedAt });
    await shutdown.finished;
    progress.say('Stopped. `npm start` brings everything back.');
  } catch (error) {
    const wasAskedToStop = shutdown.isStopping();
    if (!wasAskedToStop) progress.say(explainFailure(error));
    await shutdown.stopAll();
    process.exitCode = wasAskedToStop ? 0 : 1;
  }
}

/** Everything of ours that the person set, so that real parts are used where they are configured. */
function readConfigured(): Record<string, string> {
  const ours = /^(DATABASE_URL|TEMPORAL_|SLACK_|MEDIC_)/;
  const entries = Object.entries(process.env).filter(([name]) => ours.test(name));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''));
}

function sayReady(say: (line: string) => void, input: { sandbox: Sandbox; dataPath: string; ms: number }): void {
  const { addresses, parts } = input.sandbox;
  const told = Object.entries(parts).map(([name, ms]) => `${name} ${(ms / 1000).toFixed(1)} s`);
  say(`Ready after ${(input.ms / 1000).toFixed(1)} s (${told.join(', ')}).`);
  say('');
  say(`  control plane    ${addresses.controlPlane}`);
  if (addresses.slack !== null)
    say(`  Slack workspace  ${addresses.slack}   (a stand-in: open it, break a server, repair it)`);
  if (addresses.temporal !== null) say(`  Temporal         ${addresses.temporal}`);
  say('');
  say(`Data is kept in ${input.dataPath}. Ctrl-C stops everything.`);
}

await main().catch((error: unknown) => {
  process.stderr.write(`${explainFailure(error)}\n`);
  process.exitCode = 2;
});
