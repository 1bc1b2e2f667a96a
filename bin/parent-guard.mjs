import { clearInterval, setInterval } from 'node:timers';

/**
 * Loaded into the program that the bootstrap starts: when the bootstrap dies without a word (SIGKILL), the program is
 * told to end, so that nothing is left running behind a command that is gone.
 */
const parent = Number(new URL(import.meta.url).searchParams.get('parent'));
const POLL_MS = 300; // a stat of our own process; nobody waits for it

const timer = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(timer);
  process.kill(process.pid, 'SIGTERM');
}, POLL_MS);
timer.unref();
