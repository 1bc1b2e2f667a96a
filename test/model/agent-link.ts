import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { CommandResult, HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages.ts';
import type { HeardHeartbeat } from '../checker/evidence.ts';

const KEPT = 20; // heartbeats, to be played again

/** The way from one agent to the control plane: it can be cut, lose answers on their way back, and play old traffic again. */
export interface AgentLink {
  url: string;
  cut(ms: number): void;
  /** The next answers that bring something never arrive, although the control plane has given them. */
  loseAnswers(count: number): void;
  mend(): void;
  /** Sends an answered heartbeat again, byte for byte; the status of its answer, or null where there is none yet. */
  replay(index: number): Promise<number | null>;
  /** What the agent said and was told so far. */
  beats(): Omit<HeardHeartbeat, 'agent'>[];
  close(): Promise<void>;
}

interface Heard {
  path: string;
  headers: Record<string, string>;
  body: Buffer<ArrayBuffer>;
}

interface State {
  isCut: boolean;
  answersToLose: number;
  heard: Heard[];
  beats: Omit<HeardHeartbeat, 'agent'>[];
  open: Set<ServerResponse>;
}

export async function startAgentLink(target: string): Promise<AgentLink> {
  const state: State = { isCut: false, answersToLose: 0, heard: [], beats: [], open: new Set() };
  const server = createServer((request, response) => {
    void forward({ target, state, request, response }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const mend = (): void => {
    state.isCut = false;
    state.answersToLose = 0;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: (ms) => {
      state.isCut = true;
      for (const response of state.open) response.destroy();
      setTimeout(() => (state.isCut = false), ms).unref();
    },
    loseAnswers: (count) => (state.answersToLose = count),
    mend,
    replay: async (index) => {
      const old = state.heard[index % Math.max(1, state.heard.length)];
      return old === undefined ? null : (await send(target, old)).status;
    },
    beats: () => [...state.beats],
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function forward(input: {
  target: string;
  state: State;
  request: IncomingMessage;
  response: ServerResponse;
}): Promise<void> {
  const { target, state, request, response } = input;
  const gone = new AbortController();
  state.open.add(response);
  response.on('close', () => {
    state.open.delete(response);
    gone.abort();
  });
  const heard: Heard = {
    path: request.url ?? '',
    headers: { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' },
    body: Buffer.from(await buffer(request)),
  };
  const beat = readBeat(heard);
  if (beat !== null) state.beats.push(beat);
  if (state.isCut) throw new Error('cut');
  const answer = await send(target, heard, gone.signal);
  const text = await answer.text();
  if (beat !== null && answer.status === 200) beat.told = readAnswer(text);
  if (answer.status === 200) state.heard = [...state.heard, heard].slice(-KEPT);
  if (state.isCut || isLost(state, text)) throw new Error('lost');
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
  response.end(text);
}

/** Null: it is no heartbeat, but an enrolment. */
function readBeat({ path, body }: Heard): Omit<HeardHeartbeat, 'agent'> | null {
  if (!path.endsWith('/heartbeat')) return null;
  const { halted, running, results } = JSON.parse(body.toString('utf8')) as HeartbeatRequest;
  const ran = (results as CommandResult[]).filter(({ status }) => status !== 'refused');
  const begun = [...running, ...ran].map(({ command_id: id }) => id);
  return { isHalted: halted === true, begun, told: null };
}

function readAnswer(text: string): HeardHeartbeat['told'] {
  const { halted, commands } = JSON.parse(text) as HeartbeatResponse;
  return { isHalted: halted, commands: commands.length };
}

function isLost(state: State, answer: string): boolean {
  const bringsNothing = answer.includes('"acked":[],"commands":[],"cancel":[]');
  if (state.answersToLose === 0 || bringsNothing) return false;
  state.answersToLose -= 1;
  return true;
}

function send(target: string, heard: Heard, signal?: AbortSignal): Promise<Response> {
  const { path, headers, body } = heard;
  return fetch(`${target}${path}`, { method: 'POST', headers, body, signal: signal ?? null });
}
