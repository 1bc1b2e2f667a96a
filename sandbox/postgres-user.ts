import { readFileSync } from 'node:fs';
import { ConfigurationError } from '../domain/errors.ts';

export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

const CANDIDATES = ['postgres', 'nobody']; // both mean "no rights elsewhere"; the first is there where PostgreSQL is

/**
 * Whom PostgreSQL runs as when we are root, which it refuses to be; undefined for anybody else: then as ourselves.
 * Throws `no_unprivileged_user` where root has nobody to hand it to.
 */
export function choosePostgresUser(
  ownUid = process.getuid?.() ?? -1,
  passwd = readFileSync('/etc/passwd', 'utf8'),
): SystemUser | undefined {
  if (ownUid !== 0) return undefined;
  for (const name of CANDIDATES) {
    const fields = passwd
      .split('\n')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':');
    const [uid, gid] = [Number(fields?.[2]), Number(fields?.[3])];
    if (Number.isInteger(uid) && Number.isInteger(gid) && uid > 0) return { name, uid, gid };
  }
  throw new ConfigurationError(
    'PostgreSQL refuses to run as root, and /etc/passwd has neither a user "postgres" nor "nobody" to run it as. ' +
      'Run this command as an ordinary user, or add one of them: useradd --system postgres',
    { code: 'no_unprivileged_user' },
  );
}
