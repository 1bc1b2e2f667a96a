import { mintAgentToken } from '../../protocol/agent-jwt.ts';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import type { SigningKey } from '../../protocol/keys.ts';

export interface WireAnswer {
  status: number;
  retryAfter: string | null;
  json: Record<string, unknown>;
}

/** What an agent puts on the wire, said by hand. */
export async function post(
  url: string,
  path: 'enroll' | 'heartbeat',
  { body, token }: { body: unknown; token?: string },
): Promise<WireAnswer> {
  const response = await fetch(`${url}/api/v1/agents/${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  const json = (await response.json()) as Record<string, unknown>;
  return { status: response.status, retryAfter: response.headers.get('retry-after'), json };
}

export const makeKey = (): Promise<SigningKey> =>
  importSigningKey({ pem: generatePrivateKeyPem(), source: 'the test' });

/** As version 0.1.0 asks for it. */
export function enrolmentOf(input: { token: string; key: SigningKey; hostname?: string }): object {
  const { x } = input.key.publicKey;
  return {
    protocol: 1,
    token: input.token,
    hostname: input.hostname ?? 'host',
    public_key: { kty: 'OKP', crv: 'Ed25519', x },
    agent_version: '0.1.0',
    os: 'linux',
    playbooks: [],
  };
}

/** One that is enrolled already, and says what the test wants it to. */
export function createWireAgent(input: { url: string; serverId: string; key: SigningKey }) {
  const { url, serverId } = input;
  const startedAt = new Date().toISOString();
  let beats = 0;
  const mint = (key: SigningKey): Promise<string> =>
    mintAgentToken({ serverId, privateKey: key.privateKey, kid: key.publicKey.kid, nowMs: Date.now() });
  return {
    serverId,
    mint,
    /** As version 0.1.0 says it; `key` where it is not its own. */
    async beat(said: object = {}, { key = input.key, token }: { key?: SigningKey; token?: string } = {}) {
      const body = {
        protocol: 1,
        session: { started_at: startedAt, beat: (beats += 1) },
        agent_version: '0.1.0',
        boot_id: 'boot',
        ...{ uptime_s: 1, load: 0, wait_s: 0, running: [], results: [], ...said },
      };
      return post(url, 'heartbeat', { body, token: token ?? (await mint(key)) });
    },
  };
}
