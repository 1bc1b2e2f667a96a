import { hostname } from 'node:os';
import { ConfigurationError, UnauthenticatedError, UnavailableError } from '../domain/errors.ts';
import { PROTOCOL_VERSION } from '../protocol/limits.ts';
import { parseEnrollResponse } from '../protocol/messages.ts';
import type { EnrollRequest, EnrollResponse } from '../protocol/messages.ts';
import { isRecord } from '../protocol/shape.ts';
import { loadIdentity, prepareFolder, saveEnrolment } from './agent-folder.ts';
import { listKnown } from './agent.ts';
import type { AgentConfig } from './config.ts';
import { keepRetired } from './command-keys.ts';
import { createControlPlaneClient } from './control-plane-client.ts';
import type { Answer } from './control-plane-client.ts';
import { readErrorMessage } from './failure.ts';
import { lockFolder } from './folder-lock.ts';
import { readOsName } from './heartbeat.ts';
import { draftKey, takeNextKey } from './next-key.ts';
import { AGENT_VERSION } from './version.ts';

const ANSWER_PATIENCE_MS = 30_000;

/**
 * Makes a key pair that never leaves this server and has its public part accepted. An old enrolment stays as it is
 * until the new one is. Throws what is wrong in one sentence; the token is never shown.
 */
export async function enroll(config: AgentConfig, token: string): Promise<EnrollResponse> {
  await prepareFolder(config.agentDir);
  const lock = lockFolder(config.agentDir);
  const client = createControlPlaneClient(config.controlPlaneUrl);
  try {
    const playbooks = await listKnown(config.playbookDir);
    const key = await draftKey(config.agentDir);
    const { kid: _kid, ...publicKey } = key.publicKey;
    const request: EnrollRequest = {
      protocol: PROTOCOL_VERSION,
      token,
      hostname: hostname(),
      public_key: publicKey,
      agent_version: AGENT_VERSION,
      os: await readOsName(),
      playbooks,
    };
    const answer = await ask(() =>
      client.post({ path: '/api/v1/agents/enroll', body: request, timeoutMs: ANSWER_PATIENCE_MS }),
    );
    const enrolment = readAnswer(answer);
    const former = (await loadIdentity(config.agentDir).catch(() => undefined))?.enrolment;
    await takeNextKey(config.agentDir);
    const isSame = former?.server_id === enrolment.server_id;
    await saveEnrolment(config.agentDir, isSame ? keepRetired(enrolment, former) : enrolment);
    return enrolment;
  } finally {
    client.close();
    lock.release();
  }
}

async function ask(send: () => Promise<Answer>): Promise<Answer> {
  try {
    return await send();
  } catch (cause) {
    throw new UnavailableError(`The control plane cannot be reached: ${readErrorMessage(cause)}.`, {
      code: 'control_plane_away',
      cause,
    });
  }
}

function readAnswer(answer: Answer): EnrollResponse {
  if (answer.status === 201 || answer.status === 200) {
    const reading = parseEnrollResponse(answer.body);
    if (reading.isValid) return reading.value;
    const [first] = reading.errors;
    const message = `The control plane’s answer is malformed: ${first?.path ?? ''} ${first?.message ?? ''}.`;
    throw new UnavailableError(message, { code: 'malformed_answer' });
  }
  const problem = isRecord(answer.body) ? answer.body : {};
  const detail = typeof problem['detail'] === 'string' ? ` ${problem['detail']}` : '';
  const code = typeof problem['code'] === 'string' ? problem['code'] : `http_${String(answer.status)}`;
  if (answer.status === 426) {
    throw new ConfigurationError('The control plane no longer speaks this agent’s protocol: update the agent.', {
      code,
    });
  }
  if (answer.status >= 500 || answer.status === 429) {
    throw new UnavailableError(`The control plane answered ${String(answer.status)}.${detail}`, { code });
  }
  const message = `The control plane refused the enrolment (${String(answer.status)}).${detail} A token works once, for one server, and expires.`;
  throw new UnauthenticatedError(message, { code });
}
