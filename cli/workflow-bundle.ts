import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { locateCache } from '../sandbox/cache-dir.ts';

const ROOT = join(import.meta.dirname, '..');
const SOURCES = ['workflows', 'domain']; // all that a workflow may import besides Temporal (import-rules.js)

/**
 * The workflows bundled, from the user's cache where this very source was bundled before: building takes over a
 * second. Where the cache cannot be written the bundle is kept in memory only.
 */
export async function loadWorkflowBundle(): Promise<{ codePath: string } | { code: string }> {
  const directory = join(locateCache(), 'workflows');
  const codePath = join(directory, `${await digestSources()}.js`);
  if (await stat(codePath).catch(() => null)) return { codePath };
  const { bundleWorkflows } = await import('../worker/worker.ts');
  const { code } = await bundleWorkflows();
  try {
    await mkdir(directory, { recursive: true });
    const partial = `${codePath}.${process.pid}`;
    await writeFile(partial, code);
    await rename(partial, codePath);
    return { codePath };
  } catch {
    return { code };
  }
}

async function digestSources(): Promise<string> {
  const hash = createHash('sha256');
  hash.update(await readFile(join(ROOT, 'node_modules', '@temporalio', 'workflow', 'package.json')));
  for (const folder of SOURCES) {
    const names = await readdir(join(ROOT, folder), { recursive: true });
    for (const name of names.filter((file) => file.endsWith('.ts')).sort()) {
      hash.update(`\0${folder}/${name}\0`).update(await readFile(join(ROOT, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 32);
}
