import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The mark every process of a command carries, whatever group or session it moves to. */
export const COMMAND_ID_VARIABLE = 'MEDIC_COMMAND_ID';

const POLL_MS = 50;
const KILL_PATIENCE_MS = 5_000; // after SIGKILL only a process stuck in the kernel is left

export interface KillRequest {
  commandId: string;
  /** The process group of the step that ran last. */
  group?: ProcessGroup;
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
}

/** By its leader: another process that has the leader's number by now started at another time. */
export interface ProcessGroup {
  id: number;
  startTicks: number;
}

/**
 * Ends every process of a command: its group, whoever carries its id, and their children. True is proof of death:
 * none of them is left. False: something survived SIGKILL or appeared again and again.
 */
export async function killCommand({ commandId, group, graceMs }: KillRequest): Promise<boolean> {
  const find = (): Promise<number[]> => findProcesses({ commandId, ...(group === undefined ? {} : { group }) });
  signalAll(await find(), 'SIGTERM');
  if (await waitUntilGone(find, graceMs)) return true;
  return waitUntilGone(async () => {
    const left = await find();
    signalAll(left, 'SIGKILL');
    return left;
  }, KILL_PATIENCE_MS);
}

/** Pids of the living (zombies are dead) that belong to a command. */
export async function findProcesses(wanted: { commandId: string; group?: ProcessGroup }): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const seen = await Promise.all(pids.filter((pid) => pid !== process.pid).map((pid) => inspect(pid, wanted)));
  const alive = seen.filter((entry) => entry !== undefined);
  const { group } = wanted;
  const namesake = alive.find((entry) => entry.pid === group?.id);
  // A number is not given away while it names a group: with another owner, our group is gone.
  const isOurs = group !== undefined && (namesake === undefined || namesake.startTicks === group.startTicks);
  const isFound = (entry: Inspected): boolean => entry.isCarrier || (isOurs && entry.groupId === group.id);
  const found = new Set(alive.filter(isFound).map((entry) => entry.pid));
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const entry of alive) if (found.has(entry.parentPid)) found.add(entry.pid);
  }
  return [...found];
}

/** Ticks since boot at which a process started: with pid and boot id it names a process for good. */
export async function readStartTicks(pid: number): Promise<number | undefined> {
  const stat = await readStat(pid);
  return stat === undefined ? undefined : Number(stat[19]);
}

export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

interface Inspected {
  pid: number;
  parentPid: number;
  groupId: number;
  startTicks: number;
  isCarrier: boolean;
}

async function inspect(pid: number, wanted: { commandId: string }): Promise<Inspected | undefined> {
  const stat = await readStat(pid);
  if (stat === undefined || stat[0] === 'Z' || stat[0] === 'X') return undefined;
  const environment = await readFile(`/proc/${String(pid)}/environ`, 'latin1').catch(() => '');
  const isCarrier = environment.split('\0').includes(`${COMMAND_ID_VARIABLE}=${wanted.commandId}`);
  const [parentPid = 0, groupId = 0] = stat.slice(1, 3).map(Number);
  return { pid, parentPid, groupId, startTicks: Number(stat[19]), isCarrier };
}

/** The fields of /proc/<pid>/stat from the state on; the name before it may hold blanks and brackets. */
async function readStat(pid: number): Promise<string[] | undefined> {
  const line = await readFile(`/proc/${String(pid)}/stat`, 'latin1').catch(() => undefined);
  return line?.slice(line.lastIndexOf(')') + 2).split(' ');
}

async function waitUntilGone(find: () => Promise<number[]>, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    if ((await find()).length === 0) return true;
    if (performance.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // gone meanwhile, or another user's: the next look tells
    }
  }
}
