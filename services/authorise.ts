import { NotAllowedError } from '../domain/errors.ts';
import type { Asker } from '../domain/principal.ts';
import type { Permission } from '../domain/roles.ts';
import { mayDo, rolesThatMay } from '../domain/roles.ts';

/** Throws NotAllowedError `role_missing` where none of the asker's roles has the permission. */
export function authorise(asker: Asker, permission: Permission): void {
  if (mayDo(asker.roles, permission)) return;
  const { name } = asker.principal;
  const wanted = rolesThatMay(permission).join(' or ');
  throw new NotAllowedError(`${name} may not do this: it takes the role ${wanted}.`, { code: 'role_missing' });
}
