import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 200;

/**
 * Runs the work while no other process of this clone does. A holder that died, however, is replaced; npm that it left
 * behind is ended first, for two installs in one folder ruin each other. `setWorker` notes npm's pid for that case.
 */
export async function withInstallLock({ file, onWait }, work) {
  mkdirSync(dirname(file), { recursive: true });
  const self = identify(process.pid);
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ holder: self }));
  try {
    await acquire({ file, draft, onWait });
    const setWorker = (pid) => {
      writeFileSync(draft, JSON.stringify({ holder: self, worker: identify(pid) }));
      renameSync(draft, file);
    };
    return await work(setWorker);
  } finally {
    rmSync(draft, { force: true });
    if (readLock(file)?.holder?.id === self.id) rmSync(file, { force: true });
  }
}

async function acquire({ file, draft, onWait }) {
  let hasTold = false;
  for (;;) {
    try {
      linkSync(draft, file);
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const found = readLock(file);
    if (found !== undefined && isAlive(found.holder)) {
      if (!hasTold) onWait(found.holder.pid);
      hasTold = true;
      await delay(POLL_MS);
      continue;
    }
    if (found?.worker !== undefined) await endWorker(found.worker);
    if (readLock(file)?.holder?.id === found?.holder?.id) rmSync(file, { force: true });
  }
}

/** npm runs in a process group of its own, with whatever it started. */
async function endWorker(worker) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    for (let tries = 0; tries < 25 && isAlive(worker); tries++) {
      if (tries === 0) signalGroup(worker.pid, signal);
      await delay(POLL_MS);
    }
  }
}

/** Where the group is gone already, that is what was wanted. */
export function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** A pid together with its start time: pids come again. */
function identify(pid) {
  return { pid, id: `${pid}:${readStartTicks(pid)}` };
}

function isAlive(process_) {
  return (
    process_ !== undefined && readStartTicks(process_.pid) !== undefined && identify(process_.pid).id === process_.id
  );
}

function readStartTicks(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
