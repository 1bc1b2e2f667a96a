import type { Row } from '../../db/tables.ts';
import { listKeysAtRevocation, listKeysOfServer } from '../../db/repositories/server.repository.ts';
import { UnauthenticatedError } from '../../domain/errors.ts';
import type { AgentTokenReading } from '../../protocol/agent-jwt.ts';
import { readClaimedServerId, verifyAgentToken } from '../../protocol/agent-jwt.ts';
import type { PublicKey } from '../../protocol/messages.ts';
import type { Context } from '../context.ts';
import { serverRevoked } from './lock-enrolled-server.ts';

/**
 * Who the agent is comes from its key, never from the body; `kid` is the key's. Throws UnauthenticatedError
 * `clock_skew`, with `server_time`, or `unauthenticated`; NotAllowedError `server_revoked`, only to whom it concerns.
 */
export async function authenticateAgent(
  ctx: Context,
  authorization: string | undefined,
): Promise<{ serverId: string; kid: string }> {
  const token = /^Bearer ([^\s]{1,4096})$/i.exec(authorization ?? '')?.[1];
  const claimed = token === undefined ? undefined : readClaimedServerId(token);
  if (token === undefined || claimed === undefined) throw unauthenticated('A heartbeat needs the token of an agent.');
  const keys = await listKeysOfServer(ctx.database, claimed);
  const nowMs = Date.now();
  if (keys.length === 0) {
    const former = await judgeToken(await listKeysAtRevocation(ctx.database, claimed), { token, nowMs });
    if (former.reading.status !== 'unauthenticated') throw serverRevoked();
    throw unauthenticated('This agent is not enrolled, or was revoked: enrol it again.');
  }
  const { reading, kid } = await judgeToken(keys, { token, nowMs });
  switch (reading.status) {
    case 'ok':
      return { serverId: claimed, kid };
    case 'clock_skew':
      throw new UnauthenticatedError('The clocks of agent and control plane differ by more than a minute.', {
        code: 'clock_skew',
        details: { server_time: new Date(nowMs).toISOString() },
      });
    case 'unauthenticated':
      throw unauthenticated(`This agent could not be recognised: ${reading.reason}.`);
  }
}

/** By the first key that has signed it; what none has signed reads as the last one says. */
async function judgeToken(
  keys: readonly Row<'agent_keys'>[],
  { token, nowMs }: { token: string; nowMs: number },
): Promise<{ reading: AgentTokenReading; kid: string }> {
  let judged = { reading: { status: 'unauthenticated', reason: 'no key is known' } as AgentTokenReading, kid: '' };
  for (const { kid, public_key: key } of keys) {
    judged = { reading: await verifyAgentToken({ token, publicKey: key as PublicKey, nowMs }), kid };
    if (judged.reading.status !== 'unauthenticated') return judged;
  }
  return judged;
}

function unauthenticated(message: string): UnauthenticatedError {
  return new UnauthenticatedError(message, { code: 'unauthenticated' });
}
