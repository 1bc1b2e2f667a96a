import { startPostgres } from '../../sandbox/postgres.ts';
import { createShutdown } from '../../sandbox/shutdown.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import { startTrialServers } from '../../sandbox/trial/trial-servers.ts';

/**
 * `node stack-starter.ts postgres|temporal|trial FOLDER`: starts that part as `npm start` would, says where it is as
 * one line of JSON, and runs until it is told to stop, or is killed by a test.
 */
const [part, folder = '.'] = process.argv.slice(2);
const shutdown = createShutdown({ say: (line) => void process.stderr.write(`${line}\n`) });

async function start(): Promise<{ stop: () => Promise<unknown>; told: unknown }> {
  if (part === 'postgres') {
    const postgres = await startPostgres({ dataDir: folder });
    return { stop: () => postgres.stop(), told: { url: postgres.url, rootFolder: postgres.rootFolder } };
  }
  if (part === 'temporal') {
    const temporal = await startTemporal({ dbFile: `${folder}/temporal.db` });
    return { stop: () => temporal.stop(), told: { address: temporal.address } };
  }
  const trial = await startTrialServers({ dir: folder, servers: [{ name: 'web-1', services: ['shop'] }] });
  return { stop: () => trial.stop(), told: { url: trial.serviceUrl('shop') } };
}

process.stdout.write('starting\n');
const running = await start();
shutdown.add(String(part), running.stop);
process.stdout.write(`${JSON.stringify(running.told)}\n`);
const alive = setInterval(() => undefined, 60_000);
await shutdown.finished;
clearInterval(alive);
