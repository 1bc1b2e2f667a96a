import type { Tx } from '../../db/orm.ts';
import { isKeyOfServer, lockServer } from '../../db/repositories/server.repository.ts';
import type { Row } from '../../db/tables.ts';
import { NotAllowedError, UnauthenticatedError } from '../../domain/errors.ts';

/**
 * For an agent that has proved who it is. Throws NotAllowedError `server_revoked` where the server was revoked since, or
 * UnauthenticatedError where its key was: by an enrolment anew, or since its agent has another.
 */
export async function lockEnrolledServer(
  tx: Tx,
  { serverId, kid }: { serverId: string; kid: string | undefined },
): Promise<Row<'servers'>> {
  const server = await lockServer(tx, serverId);
  if (server === null) throw new UnauthenticatedError('There is no such server.', { code: 'unauthenticated' });
  if (server.revoked_at !== null) throw serverRevoked();
  if (kid === undefined || (await isKeyOfServer(tx, { serverId, kid }))) return server;
  throw new UnauthenticatedError('This agent has another key by now: enrol it again.', { code: 'unauthenticated' });
}

export function serverRevoked(): NotAllowedError {
  return new NotAllowedError('This server was revoked: nothing runs here until an admin has it enrolled again.', {
    code: 'server_revoked',
  });
}
