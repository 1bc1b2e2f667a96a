import { readFile } from 'node:fs/promises';
import { loadavg, uptime } from 'node:os';
import { mintAgentToken } from '../protocol/agent-jwt.ts';
import { MAX_RESULTS_BYTES, MAX_TOKEN_LIFE_S, PROTOCOL_VERSION } from '../protocol/limits.ts';
import { compareSessions, parseHeartbeatResponse, parseSession } from '../protocol/messages.ts';
import type {
  CommandResult,
  HeartbeatRequest,
  HeartbeatResponse,
  KnownPlaybook,
  Session,
} from '../protocol/messages.ts';
import { isRecord } from '../protocol/shape.ts';
import { openSession } from './agent-folder.ts';
import type { Identity } from './agent-folder.ts';
import { describeNextKey } from './next-key.ts';
import { readErrorCode, readErrorMessage } from './failure.ts';
import type { ControlPlaneClock, TimeSource } from './clock.ts';
import type { CommandRunner } from './command-runner.ts';
import type { Answer, ControlPlaneClient } from './control-plane-client.ts';
import type { Journal } from './journal.ts';
import { AGENT_VERSION } from './version.ts';

const ANSWER_PATIENCE_MS = 15_000; // beyond the time that the request is held
const RENEW_BEFORE_MS = 60_000; // a token is reused until it nears its end
const PROBE_LIFE_S = 1; // a token that ends as it is made shows a clock that is behind, as `iat` shows one ahead

/** What came of one heartbeat. `wasHeld` says whether the control plane was still holding it when it failed. */
export type BeatOutcome =
  | { kind: 'answered'; response: HeartbeatResponse }
  | { kind: 'woken' }
  | { kind: 'again' } // the clock or the session was set right: try at once
  | { kind: 'failed'; reason: string; retryAfterMs?: number; wasHeld: boolean };

export interface HeartbeatSender {
  beat(input: { waitS: number; signal: AbortSignal }): Promise<BeatOutcome>;
}

export interface HeartbeatOptions {
  folder: string;
  /** Its key and enrolment as they are now. */
  readIdentity(): Identity;
  client: ControlPlaneClient;
  runner: CommandRunner;
  journal: Journal;
  clock: ControlPlaneClock;
  time: TimeSource;
  bootId: string;
  listPlaybooks(): Promise<KnownPlaybook[]>;
  /** What it has heard last; told, so that the control plane holds what brings no news. */
  isHalted(): boolean;
}

/** Opens a session that is newer than all before; each beat counts on, a retry too. */
export async function createHeartbeatSender(options: HeartbeatOptions): Promise<HeartbeatSender> {
  const { clock, time } = options;
  let session: Session = await openSession(options.folder, { nowMs: clock.nowMs() });
  let token: { text: string; kid: string; endsAt: number } | undefined;
  let hasLearnedSkew = false;
  let hasStepped = false;
  let staleAnswers = 0;

  const mint = async (): Promise<string> => {
    const { key, enrolment } = options.readIdentity();
    const { kid } = key.publicKey;
    if (token !== undefined && token.kid === kid && token.endsAt > time.monotonic()) return token.text;
    const { privateKey } = key;
    const lifeS = hasStepped ? PROBE_LIFE_S : MAX_TOKEN_LIFE_S;
    const serverId = enrolment.server_id;
    const text = await mintAgentToken({ serverId, privateKey, kid, nowMs: clock.nowMs(), lifeS });
    token = { text, kid, endsAt: time.monotonic() + lifeS * 1000 - RENEW_BEFORE_MS };
    return text;
  };

  const adoptAnswer = async (answer: Answer): Promise<BeatOutcome> => {
    const problem = isRecord(answer.body) ? answer.body : {};
    const retry = answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs };
    const failed = (reason: string): BeatOutcome => ({ kind: 'failed', reason, wasHeld: false, ...retry });
    if (answer.status === 401) token = undefined;
    if (answer.status === 401 && problem['code'] === 'clock_skew' && isTime(problem['server_time'])) {
      clock.learnSkew(problem['server_time']);
      hasStepped = false;
      const isFirst = !hasLearnedSkew;
      hasLearnedSkew = true;
      return isFirst ? { kind: 'again' } : failed('the clocks still differ after setting the offset');
    }
    if (answer.status === 400 && problem['code'] === 'session_in_future') {
      session = await openSession(options.folder, { nowMs: clock.nowMs(), isAnew: true });
      staleAnswers += 1;
      return staleAnswers < 3 ? { kind: 'again' } : failed('the control plane keeps calling our session too far ahead');
    }
    if (answer.status === 409 && problem['code'] === 'stale_heartbeat') {
      const last = parseSession(problem['last']);
      if (!last.isValid) return failed('the control plane calls our heartbeat stale, but not after which');
      if (compareSessions(last.value, session) >= 0) {
        session = await openSession(options.folder, { nowMs: clock.nowMs(), after: last.value });
      }
      staleAnswers += 1;
      return staleAnswers < 3 ? { kind: 'again' } : failed('the control plane keeps calling our heartbeats stale');
    }
    return failed(explainStatus(answer.status, problem));
  };

  return {
    async beat({ waitS, signal }) {
      session = { ...session, beat: session.beat + 1 };
      const sentAt = time.monotonic();
      let answer: Answer;
      try {
        answer = await options.client.post({
          path: '/api/v1/agents/heartbeat',
          body: await buildBody(options, { session, waitS }),
          token: await mint(),
          timeoutMs: waitS * 1000 + ANSWER_PATIENCE_MS,
          signal,
        });
      } catch (error) {
        if (signal.aborted) return { kind: 'woken' };
        return { kind: 'failed', reason: explainError(error), wasHeld: time.monotonic() - sentAt > 2_000 };
      }
      if (answer.status !== 200) {
        const outcome = await adoptAnswer(answer);
        const isCut =
          outcome.kind === 'failed' && [502, 504].includes(answer.status) && time.monotonic() - sentAt > 2_000;
        return isCut ? { ...outcome, wasHeld: true } : outcome;
      }
      const reading = parseHeartbeatResponse(answer.body);
      if (!reading.isValid) {
        const [first] = reading.errors;
        return {
          kind: 'failed',
          reason: `the answer is malformed: ${first?.path ?? ''} ${first?.message ?? ''}`,
          wasHeld: false,
        };
      }
      hasLearnedSkew = false;
      staleAnswers = 0;
      // A token of before the step would be good for minutes, and so would one of a clock that was set back: every
      // command would be outside of its window meanwhile.
      hasStepped = !clock.refine(reading.value.server_time);
      if (hasStepped) token = undefined;
      return { kind: 'answered', response: reading.value };
    },
  };
}

async function buildBody(options: HeartbeatOptions, { session, waitS }: { session: Session; waitS: number }) {
  const identity = options.readIdentity();
  return {
    protocol: PROTOCOL_VERSION,
    session,
    agent_version: AGENT_VERSION,
    boot_id: options.bootId,
    uptime_s: uptime(),
    load: loadavg()[0] ?? 0,
    wait_s: waitS,
    halted: options.isHalted(),
    running: options.runner.listRunning(),
    results: fitResults(options.runner.listResults()),
    playbooks: await options.listPlaybooks(),
    ...describeDamage(options.journal),
    command_keys_serial: identity.enrolment.command_keys_serial ?? 0,
    ...(await describeNextKey(options.folder, identity)),
  };
}

function describeDamage({ damage }: Journal): Pick<HeartbeatRequest, 'journal_damage'> {
  return damage === null ? {} : { journal_damage: { found_at: damage.found_at, lines: damage.lines } };
}

/** The oldest, as many as fit; the first always goes. */
export function fitResults(results: readonly CommandResult[], maxBytes = MAX_RESULTS_BYTES): CommandResult[] {
  const fitting: CommandResult[] = [];
  let size = 0;
  for (const result of results) {
    size += Buffer.byteLength(JSON.stringify(result)) + 1;
    if (fitting.length > 0 && (size > maxBytes || fitting.length >= 1000)) break;
    fitting.push(result);
  }
  return fitting;
}

function explainStatus(status: number, problem: Record<string, unknown>): string {
  const detail = typeof problem['detail'] === 'string' ? `: ${problem['detail'].slice(0, 500)}` : '';
  if (status === 426)
    return `the control plane no longer speaks protocol ${String(PROTOCOL_VERSION)}: update this agent`;
  if (status === 401) return `the control plane does not know this agent’s key${detail}: enrol again`;
  if (status === 403 && problem['code'] === 'server_revoked') {
    return `this server was revoked: nothing is started here until it is enrolled again${detail}`;
  }
  if (status === 403) return `the control plane does not let this agent in${detail}`;
  if (status === 429) return 'the control plane asks us to come less often';
  return `the control plane answered ${String(status)}${detail}`;
}

function explainError(error: unknown): string {
  const code = readErrorCode(error);
  if (code === 'ABORT_ERR') return 'no answer in time';
  return `the control plane cannot be reached (${code ?? 'error'}: ${readErrorMessage(error)})`;
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

export async function readOsName(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="?([^"\n]{1,200})/m.exec(text)?.[1] ?? 'Linux';
}
