import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { InvalidInputError } from '../domain/errors.ts';
import type { ManagedUnit } from './polkit.ts';
import { readErrorCode } from './failure.ts';
import { readStartTicks } from './process-tree.ts';

const PKCHECK = '/usr/bin/pkcheck';
const ACTION = 'org.freedesktop.systemd1.manage-units';
const PATIENCE_MS = 10_000; // polkit may have to be started first

export interface User {
  uid: number;
  gid: number;
  groups: readonly number[];
}

export interface PolkitAnswer extends ManagedUnit {
  verdict: 'permitted' | 'forbidden' | 'unknown';
  /** For `unknown`: what stands in the way. */
  why: string;
}

/** Throws InvalidInputError `unknown_user`. */
export async function findUser(name: string): Promise<User> {
  const readIds = async (option: string): Promise<number[]> =>
    (await run('/usr/bin/id', [option, '--', name])).stdout.trim().split(' ').map(Number);
  try {
    const [[uid = 0], [gid = 0], groups] = await Promise.all([readIds('-u'), readIds('-g'), readIds('-G')]);
    return { uid, gid, groups };
  } catch (cause) {
    throw new InvalidInputError(`This machine has no user "${name}".`, { code: 'unknown_user', cause });
  }
}

/**
 * Whether polkit would let this user manage these units without a password. Polkit answers that only to root, and
 * only about a process: one that does nothing is started as the user meanwhile. `*` in a unit's name is asked as `x`.
 */
export async function askPolkit(
  units: readonly ManagedUnit[],
  { uid, gid, pkcheck = PKCHECK }: { uid: number; gid: number; pkcheck?: string },
): Promise<PolkitAnswer[]> {
  const idler = spawn('/bin/sleep', ['600'], { uid, gid, stdio: 'ignore', cwd: '/' });
  try {
    const subject = [idler.pid, await readStartTicks(idler.pid ?? 0), uid].join(',');
    return await Promise.all(units.map((unit) => askOne(unit, { subject, pkcheck })));
  } finally {
    idler.kill('SIGKILL');
  }
}

async function askOne(
  { verb, unit }: ManagedUnit,
  { subject, pkcheck }: { subject: string; pkcheck: string },
): Promise<PolkitAnswer> {
  const details = ['--detail', 'unit', unit.replaceAll('*', 'x'), '--detail', 'verb', verb];
  try {
    await run(pkcheck, ['--action-id', ACTION, '--process', subject, ...details], { timeout: PATIENCE_MS });
    return { verb, unit, verdict: 'permitted', why: '' };
  } catch (error) {
    return { verb, unit, ...explainFailure(error) };
  }
}

/** pkcheck ends with 1 to 3 where the answer is no, or only with a password. */
function explainFailure(error: unknown): Pick<PolkitAnswer, 'verdict' | 'why'> {
  if (readErrorCode(error) === 'ENOENT') return { verdict: 'unknown', why: 'polkit is not installed' };
  const { code, stderr } = error as { code?: unknown; stderr?: unknown };
  if (typeof code === 'number' && code >= 1 && code <= 3) return { verdict: 'forbidden', why: '' };
  const [line = ''] = String(stderr).trim().split('\n').slice(-1);
  return { verdict: 'unknown', why: `polkit does not answer${line === '' ? '' : ` (${line.slice(0, 200)})`}` };
}

const run = promisify(execFile);
