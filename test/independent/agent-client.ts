import { randomUUID } from 'node:crypto';
import { sha256 } from './canonical-json.ts';
import { eventually } from './eventually.ts';
import { exchange } from './http-exchange.ts';
import type { Answer, Json } from './http-exchange.ts';
import { ANNOUNCED } from './playbook-documents.ts';
import { makeKeyPair, openJws, signJws } from './signatures.ts';
import type { KeyPair, OpenedJws, PublicJwk } from './signatures.ts';

export interface Command {
  command_id: string;
  action_id: string;
  attempt: number;
  server_id: string;
  playbook: string;
  playbook_digest: string;
  params: Record<string, unknown>;
  dry_run: boolean;
  timeout_s: number;
  nbf: number;
  exp: number;
  seq: number;
  approvals: { by: string; at: string }[];
}

export interface AgentClient {
  serverId: string;
  name: string;
  keyPair: KeyPair;
  enrolment: Json;
  /** The bearer token, with claims of one's own over the right ones. */
  mint(claims?: Record<string, unknown>, key?: KeyPair): string;
  /** One heartbeat, a beat further than the last; `fields` stand over the usual ones. */
  beat(fields?: Record<string, unknown>, input?: { token?: string; signal?: AbortSignal }): Promise<Answer>;
  open(jws: string): OpenedJws;
  /** Beats until a command is handed out, and returns it verified. */
  awaitCommand(): Promise<Command>;
  report(results: Json[]): Promise<Answer>;
}

export function enrolmentBody(token: string, keyPair: KeyPair, hostname: string): Json {
  return {
    protocol: 1,
    token,
    hostname,
    public_key: keyPair.jwk,
    agent_version: '9.9.9-independent',
    os: 'linux',
    playbooks: ANNOUNCED,
  };
}

export function postEnrolment(baseUrl: string, body: Json): Promise<Answer> {
  return exchange({ method: 'POST', url: `${baseUrl}/api/v1/agents/enroll`, body });
}

/** Enrols and returns the client of that server. Throws with the answer where enrolment does not give 201. */
export async function enrolAgent(input: { baseUrl: string; token: string; name: string }): Promise<AgentClient> {
  const keyPair = makeKeyPair();
  const answer = await postEnrolment(input.baseUrl, enrolmentBody(input.token, keyPair, input.name));
  if (answer.status !== 201) throw new Error(`Enrolment answered ${answer.status}: ${answer.text}`);
  return createAgentClient({ baseUrl: input.baseUrl, name: input.name, keyPair, enrolment: answer.body });
}

export function createAgentClient(input: {
  baseUrl: string;
  name: string;
  keyPair: KeyPair;
  enrolment: Json;
}): AgentClient {
  const { baseUrl, name, keyPair, enrolment } = input;
  const serverId = String(enrolment.server_id);
  const commandKeys = enrolment.command_keys as PublicJwk[];
  const bootId = randomUUID();
  const startedAt = new Date().toISOString();
  let beats = 0;

  const client: AgentClient = {
    serverId,
    name,
    keyPair,
    enrolment,
    mint: (claims = {}, key = keyPair) => mintToken({ serverId, claims, key }),
    beat(fields = {}, { token, signal } = {}) {
      beats += 1;
      const usual = {
        protocol: 1,
        session: { started_at: startedAt, beat: beats },
        agent_version: '9.9.9-independent',
        boot_id: bootId,
        uptime_s: 1000 + beats,
        load: 0.25,
        wait_s: 0,
        running: [],
        results: [],
        playbooks: ANNOUNCED,
      };
      return exchange({
        method: 'POST',
        url: `${baseUrl}/api/v1/agents/heartbeat`,
        headers: { authorization: `Bearer ${token ?? client.mint()}` },
        body: { ...usual, ...fields },
        ...(signal ? { signal } : {}),
      });
    },
    open: (jws) => openJws(jws, commandKeys),
    awaitCommand: () =>
      eventually(`a command for ${name}`, async () => {
        const answer = await client.beat({ wait_s: 5 });
        const jws = answer.body?.commands?.[0] as string | undefined;
        return jws === undefined ? undefined : (client.open(jws).payload as unknown as Command);
      }),
    report: (results) => client.beat({ results }),
  };
  return client;
}

function mintToken(input: { serverId: string; claims: Record<string, unknown>; key: KeyPair }): string {
  const now = Math.floor(Date.now() / 1000);
  return signJws({
    header: { alg: 'EdDSA', typ: 'JWT' },
    payload: { sub: input.serverId, aud: 'medic', iat: now, exp: now + 300, ...input.claims },
    key: input.key.privateKey,
  });
}

/** What `running` says about a command whose first process was started. */
export function runningEntry(command: Command): Json {
  return { command_id: command.command_id, started_at: new Date().toISOString(), step: 1, steps: 2 };
}

/** A well-formed result; without `fields` that of a run that went well. */
export function resultOf(command: Command, fields: Record<string, unknown> = {}): Json {
  const stdout = String(fields['stdout'] ?? 'said\n');
  const stderr = String(fields['stderr'] ?? '');
  const now = Date.now();
  return {
    command_id: command.command_id,
    attempt: command.attempt,
    status: 'completed',
    exit_code: 0,
    signal: null,
    started_at: new Date(now - 1000).toISOString(),
    finished_at: new Date(now).toISOString(),
    stdout,
    stderr,
    stdout_bytes: Buffer.byteLength(stdout),
    stderr_bytes: Buffer.byteLength(stderr),
    truncated: false,
    stdout_sha256: sha256(stdout),
    stderr_sha256: sha256(stderr),
    ...fields,
  };
}
