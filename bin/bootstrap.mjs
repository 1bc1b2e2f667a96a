import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureInstalled, SetupError } from './install.mjs';
import { checkPlatform, locateNode } from './platform.mjs';

// In MB. Most of what a click or a heartbeat makes is garbage at once: with room for it, V8 stops for milliseconds less.
const SHORT_PAUSES = ['--min-semi-space-size=16', '--max-semi-space-size=32'];

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Subcommands that are parts of the sandbox; everything else is `cli/main.ts`, which receives the arguments. */
const SANDBOX_ENTRIES = { demo: 'sandbox/demo.ts', start: 'sandbox/start.ts', test: 'sandbox/test-runner.ts' };

/** These run on the embedded stack, which needs the development dependencies too. */
const NEEDS_DEV = new Set(['demo', 'start', 'test', 'up']);

/**
 * Sets the clone up and runs the command on the Node inside it. Ends with that program's exit code, or its signal;
 * with 1 and one sentence where the set-up cannot be done.
 */
export async function main(args) {
  try {
    checkPlatform();
    await ensureInstalled({ root: ROOT, needsDev: NEEDS_DEV.has(args[0]), say: (line) => console.error(line) });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
    return;
  }
  const { file, rest } = routeCommand(args);
  const node = locateNode(ROOT);
  if (realpathSync(process.execPath) === realpathSync(node)) await runHere(file, rest);
  else await runOn(node, file, rest);
}

export function routeCommand(args) {
  const entry = Object.hasOwn(SANDBOX_ENTRIES, args[0] ?? '') ? SANDBOX_ENTRIES[args[0]] : undefined;
  if (entry === undefined) return { file: join(ROOT, 'cli', 'main.ts'), rest: args };
  return { file: join(ROOT, entry), rest: args.slice(1) };
}

/** `npm start` and its like already run on the right Node: one process less, and signals arrive at once. */
async function runHere(file, rest) {
  process.argv = [process.execPath, file, ...rest];
  if (process.env.npm_lifecycle_event !== undefined) await import(guardUrl(process.ppid));
  await import(pathToFileURL(file).href);
}

function runOn(node, file, rest) {
  const path = `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`;
  const child = spawn(node, [...SHORT_PAUSES, '--import', guardUrl(process.pid), file, ...rest], {
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => {
      if (signal !== null) endLikeChild(signal);
      else process.exitCode = exitCode;
      resolve();
    });
  });
}

/** So that who waits for us sees the same end; where the signal does not end us, the shell's number for it. */
function endLikeChild(signal) {
  process.removeAllListeners(signal);
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
}

function guardUrl(parent) {
  return `${pathToFileURL(join(ROOT, 'bin', 'parent-guard.mjs')).href}?parent=${parent}`;
}
