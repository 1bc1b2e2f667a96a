import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where downloads of any clone are kept: `$XDG_CACHE_HOME/medic`, else `~/.cache/medic`. Not created here. */
export function locateCache(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  if (base !== undefined && isAbsolute(base)) return join(base, 'medic'); // the XDG rules say to ignore relative ones
  return join(homedir(), '.cache', 'medic');
}
