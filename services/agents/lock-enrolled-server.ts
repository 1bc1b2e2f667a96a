import type { Tx } from '../../db/orm.ts';
import { lockServer } from '../../db/repositories/server.repository.ts';
import type { Row } from '../../db/tables.ts';
import { UnauthenticatedError } from '../../domain/errors.ts';

/** Throws UnauthenticatedError where the server was revoked since its token was made. */
export async function lockEnrolledServer(tx: Tx, serverId: string): Promise<Row<'servers'>> {
  const server = await lockServer(tx, serverId);
  if (server !== null && server.revoked_at === null) return server;
  throw new UnauthenticatedError('This server was revoked: enrol it again.', { code: 'unauthenticated' });
}
