import { askSupervisor } from './control-client.ts';

/**
 * `node servicectl.ts FOLDER VERB [--quiet] UNIT`: the trial servers' systemctl. FOLDER is put in by the command that
 * stands in FOLDER/bin, so whoever runs it needs no environment.
 */
const [dir, ...words] = process.argv.slice(2);
const isQuiet = words.includes('--quiet') || words.includes('-q');
const [verb, unit, ...rest] = words.filter((word) => !word.startsWith('-'));
if (dir === undefined || verb === undefined || unit === undefined || rest.length > 0) {
  process.stderr.write('usage: servicectl start|stop|restart|is-active|is-failed|status [--quiet] UNIT\n');
  process.exit(1);
}
process.chdir(dir);
const answer = await askSupervisor({ dir, isInside: true }, { verb, unit });
if (answer.stdout !== '' && !isQuiet) process.stdout.write(`${answer.stdout}\n`);
if (answer.stderr !== '') process.stderr.write(`${answer.stderr}\n`);
process.exitCode = answer.exitCode;
