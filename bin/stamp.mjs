import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { locateNode } from './platform.mjs';

const STAMP = '.medic-stamp';

/**
 * Whether node_modules holds what the lock asks for. The stamp says so at once; without one (someone ran `npm ci`
 * themselves) npm's own record is compared with the lock. npm writes that record last, so after a killed install there
 * is none, or an older one.
 */
export function isInstalled({ root, needsDev }) {
  if (!existsSync(locateNode(root))) return false;
  const stamp = readText(join(root, 'node_modules', STAMP));
  const expected = computeStamp({ root, hasDev: true });
  if (stamp === expected || (!needsDev && stamp === computeStamp({ root, hasDev: false }))) return true;
  const missing = compareWithLock(root);
  if (missing === undefined || missing.production || (needsDev && missing.dev)) return false;
  writeStamp({ root, hasDev: !missing.dev });
  return true;
}

/** Only after the install went well: a stamp vouches for the whole folder. */
export function writeStamp({ root, hasDev }) {
  const file = join(root, 'node_modules', STAMP);
  try {
    writeFileSync(`${file}.${process.pid}`, computeStamp({ root, hasDev }));
    renameSync(`${file}.${process.pid}`, file);
  } catch (error) {
    if (!['EACCES', 'EROFS', 'EPERM'].includes(error.code)) throw error; // read-only images: compared at every start
  }
}

/** Before an install: from here on nothing vouches for the folder. */
export function removeRecords(root) {
  rmSync(join(root, 'node_modules', STAMP), { force: true });
  rmSync(join(root, 'node_modules', '.package-lock.json'), { force: true });
}

export function computeStamp({ root, hasDev }) {
  const hash = createHash('sha256');
  for (const name of ['package-lock.json', 'package.json']) {
    hash.update(readFileSync(join(root, name))).update('\0');
  }
  return `${hash.digest('hex')} ${process.platform}-${process.arch} ${hasDev ? 'all' : 'production'}\n`;
}

/** What of the lock is not there in the right version; undefined where npm left no readable record. */
function compareWithLock(root) {
  const record = readText(join(root, 'node_modules', '.package-lock.json'));
  if (record === undefined) return undefined;
  let installed;
  try {
    installed = JSON.parse(record).packages;
  } catch {
    return undefined;
  }
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const missing = { production: false, dev: false };
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    if (found === undefined && (entry.optional || entry.devOptional)) continue; // other platforms' binaries
    if (found?.version === entry.version && found?.integrity === entry.integrity) continue;
    missing[entry.dev ? 'dev' : 'production'] = true;
  }
  return missing;
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
