import { setTimeout as wait } from 'node:timers/promises';
import { askSupervisor } from './control-client.ts';

/**
 * `node servicectl.ts FOLDER VERB [--quiet] UNIT`: the trial servers' systemctl. FOLDER is put in by the command that
 * stands in FOLDER/bin, so whoever runs it needs no environment.
 */
const [dir, ...words] = process.argv.slice(2);
const isQuiet = words.includes('--quiet') || words.includes('-q');
const [verb, unit, ...rest] = words.filter((word) => !word.startsWith('-'));
if (dir === undefined || verb === undefined || unit === undefined || rest.length > 0) {
  process.stderr.write('usage: servicectl start|stop|restart|is-active|is-failed|status|drain [--quiet] UNIT\n');
  process.exit(1);
}
process.chdir(dir);
if (verb === 'drain') await drain(unit);
// A drained service is looked at, so that one that is not there is told.
const answer = await askSupervisor({ dir, isInside: true }, { verb: verb === 'drain' ? 'status' : verb, unit });
if (answer.stdout !== '' && !isQuiet) process.stdout.write(`${answer.stdout}\n`);
if (answer.stderr !== '') process.stderr.write(`${answer.stderr}\n`);
process.exitCode = answer.exitCode;

/** Gives the service time for what it is doing: `--how=immediate` gives none, `--verbose=true` counts aloud. */
async function drain(name: string): Promise<void> {
  const option = (key: string): string | undefined =>
    words.find((word) => word.startsWith(`--${key}=`))?.slice(key.length + 3);
  const seconds = option('how') === 'immediate' ? 0 : Number(option('seconds') ?? 0);
  for (let left = seconds; left > 0; left -= 1) {
    if (option('verbose') === 'true') process.stdout.write(`${name}: ${left} s left for what it is doing\n`);
    await wait(1_000);
  }
  process.stdout.write(`${name}: drained\n`);
}
