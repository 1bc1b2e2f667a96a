import { findKeyOfServer } from '../../db/repositories/server.repository.ts';
import { UnauthenticatedError } from '../../domain/errors.ts';
import { readClaimedServerId, verifyAgentToken } from '../../protocol/agent-jwt.ts';
import type { PublicKey } from '../../protocol/messages.ts';
import type { Context } from '../context.ts';

/**
 * Who the agent is comes from its key, never from the body. Throws UnauthenticatedError `clock_skew`, with
 * `server_time`, or `unauthenticated`.
 */
export async function authenticateAgent(
  ctx: Context,
  authorization: string | undefined,
): Promise<{ serverId: string }> {
  const token = /^Bearer ([^\s]{1,4096})$/i.exec(authorization ?? '')?.[1];
  const claimed = token === undefined ? undefined : readClaimedServerId(token);
  if (token === undefined || claimed === undefined) throw unauthenticated('A heartbeat needs the token of an agent.');
  const key = await findKeyOfServer(ctx.database, claimed);
  if (key === null) throw unauthenticated('This agent is not enrolled, or was revoked: enrol it again.');
  const nowMs = Date.now();
  const reading = await verifyAgentToken({ token, publicKey: key.public_key as PublicKey, nowMs });
  switch (reading.status) {
    case 'ok':
      return { serverId: key.server_id };
    case 'clock_skew':
      throw new UnauthenticatedError('The clocks of agent and control plane differ by more than a minute.', {
        code: 'clock_skew',
        details: { server_time: new Date(nowMs).toISOString() },
      });
    case 'unauthenticated':
      throw unauthenticated(`This agent could not be recognised: ${reading.reason}.`);
  }
}

function unauthenticated(message: string): UnauthenticatedError {
  return new UnauthenticatedError(message, { code: 'unauthenticated' });
}
