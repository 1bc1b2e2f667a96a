import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { signalGroup, withInstallLock } from './install-lock.mjs';
import { locateNode } from './platform.mjs';
import { SetupError } from './setup-error.mjs';
import { isInstalled, removeRecords, writeStamp } from './stamp.mjs';

export { SetupError } from './setup-error.mjs';

const QUIET_MS = 2_000; // below this nobody wonders whether anything happens
const REPEAT_MS = 5_000;

/** npm begins only once its pid is noted in the lock, so that a start after a kill always knows whom to end first. */
const WHEN_NOTED = 'read -r noted || exit 1; exec "$@" </dev/null';

/**
 * Makes node_modules hold what the lock asks for; does nothing where it does already. Safe to be killed at any moment
 * and to be run twice at once. Throws a SetupError with the remedy where it cannot be done.
 */
export async function ensureInstalled({ root, needsDev, say }) {
  if (isInstalled({ root, needsDev })) return;
  try {
    accessSync(root, constants.W_OK);
  } catch {
    throw new SetupError(
      `The dependencies are not installed, and ${root} cannot be written to. Run this as its owner.`,
    );
  }
  const npm = findNpm();
  const lock = {
    file: join(root, '.medic', 'install.lock'),
    onWait: (pid) => say(`Process ${pid} is installing the dependencies of this clone; waiting for it.`),
  };
  await explainDiskErrors(() =>
    withInstallLock(lock, async (setWorker) => {
      if (isInstalled({ root, needsDev })) return;
      removeRecords(root);
      await runNpm({ root, npm, needsDev, say, setWorker });
      if (!existsSync(locateNode(root))) {
        throw new SetupError(
          `npm did not install node-linux-${process.arch}. Remove "omit=optional" from your npm settings and try again.`,
        );
      }
      writeStamp({ root, hasDev: needsDev });
    }),
  );
}

async function explainDiskErrors(work) {
  try {
    await work();
  } catch (error) {
    if (error.code === 'ENOSPC') throw new SetupError(explainNpmFailure('ENOSPC'));
    throw error;
  }
}

/** npm that belongs to this Node comes first, then the one on the PATH. */
function findNpm() {
  const folders = [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter)];
  const found = folders.map((folder) => join(folder, 'npm')).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new SetupError(
    'npm is missing, and it is needed to install the dependencies. Install npm (it comes with Node).',
  );
}

async function runNpm({ root, npm, needsDev, say, setWorker }) {
  const startedAt = performance.now();
  const args = ['ci', '--no-audit', '--no-fund', '--include=optional', '--ignore-scripts', '--loglevel=error'];
  args.push(needsDev ? '--include=dev' : '--omit=dev');
  const child = spawn('/bin/sh', ['-c', WHEN_NOTED, 'npm', npm, ...args], {
    cwd: root,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: npmEnvironment(),
  });
  setWorker(child.pid);
  child.stdin.on('error', () => undefined); // it ended first; its exit code tells
  child.stdin.end('noted\n');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const stop = (signal) => signalGroup(child.pid, signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, () => stop(signal)]);
  for (const [signal, handler] of signals) process.on(signal, handler);
  const timer = reportEvery(say, startedAt);
  const end = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  }).finally(() => {
    timer.stop();
    for (const [signal, handler] of signals) process.off(signal, handler);
  });
  if (end.exitCode === 0) return;
  if (end.signal !== null)
    throw new SetupError('Installing the dependencies was interrupted; the next start does it anew.');
  throw new SetupError(explainNpmFailure(output));
}

/** Without what an outer npm handed down: its `omit`, `dry-run` or `global` is not meant for this install. */
function npmEnvironment() {
  const own = Object.entries(process.env).filter(
    ([name]) =>
      !/^npm_(config_(omit|include|only|production|dry_run|global|json|ignore_scripts)|lifecycle|package)/i.test(name),
  );
  return Object.fromEntries(own.filter(([name]) => name !== 'NODE_ENV'));
}

function reportEvery(say, startedAt) {
  let hasShown = false;
  const seconds = () => `${Math.round((performance.now() - startedAt) / 1_000)} s`;
  const show = () => {
    say(`Installing the dependencies from the lock … ${seconds()}`);
    hasShown = true;
    timer = setTimeout(show, REPEAT_MS);
  };
  let timer = setTimeout(show, QUIET_MS);
  return {
    stop() {
      clearTimeout(timer);
      if (hasShown) say(`Installing the dependencies: ended after ${seconds()}`);
    },
  };
}

/** One sentence with the remedy, from what npm printed. */
export function explainNpmFailure(output) {
  if (/ENOSPC|no space left/i.test(output)) {
    return 'The dependencies could not be installed: the disk is full. About 1 GB is needed; free some and try again.';
  }
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|network/i.test(output)) {
    return 'The dependencies could not be downloaded: npm does not reach its registry. Connect to the network, or set the proxy or mirror you use (npm config set proxy …, npm config set registry …), and try again.';
  }
  if (/EINTEGRITY/.test(output)) {
    return 'A downloaded dependency is not what the lock names. Run "npm cache clean --force" and try again; if it stays, do not trust that registry.';
  }
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return 'npm may not write where it has to. Make this clone and your npm cache (npm config get cache) belong to you and try again.';
  }
  const lines = output.trim().split('\n').slice(-12).join('\n');
  return `npm could not install the dependencies from the lock. It said:\n${lines}`;
}
