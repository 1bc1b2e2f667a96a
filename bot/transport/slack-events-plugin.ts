import type { App, Receiver, ReceiverEvent } from '@slack/bolt';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { isSignedBySlack } from './signature.ts';

export const EVENTS_PATH = '/slack/events';
const MAX_BODY_BYTES = 1024 * 1024; // a click carries its whole message or Home, percent-encoded

export interface SlackEventsTransport {
  receiver: Receiver;
  /** `POST /slack/events`; register it without `fastify-plugin`, so that its raw-body parser stays inside. */
  fastifyPlugin: FastifyPluginAsync;
}

/** Slack's HTTP requests, inside our own Fastify: there is no receiver for it that is maintained. */
export function createSlackEventsPlugin(input: { signingSecret: string; log: Logger }): SlackEventsTransport {
  let app: App | undefined;
  const receiver: Receiver = {
    init: (bolt) => {
      app = bolt;
    },
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const isGenuine = isSignedBySlack({
      signingSecret: input.signingSecret,
      timestamp: headerOf(request, 'x-slack-request-timestamp'),
      signature: headerOf(request, 'x-slack-signature'),
      rawBody,
      nowMs: Date.now(),
    });
    if (!isGenuine) return refuse(reply, 401, 'bad_signature', 'The signature is missing, wrong or too old.');
    const body = parseBody(rawBody.toString('utf8'), request.headers['content-type'] ?? '');
    if (body === undefined) return refuse(reply, 400, 'malformed_body', 'The body is neither a form nor JSON.');
    if (body['type'] === 'url_verification') return reply.send({ challenge: body['challenge'] });
    if (body['ssl_check'] !== undefined) return reply.code(200).send();
    return deliver({ app, body, request, reply, log: input.log });
  };
  const fastifyPlugin: FastifyPluginAsync = (fastify) => {
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => {
      done(null, body);
    });
    fastify.post(EVENTS_PATH, { bodyLimit: MAX_BODY_BYTES }, handle);
    return Promise.resolve();
  };
  return { receiver, fastifyPlugin };
}

interface Delivery {
  app: App | undefined;
  body: Record<string, unknown>;
  request: FastifyRequest;
  reply: FastifyReply;
  log: Logger;
}

/** The first acknowledgement is the response; what comes after it goes by other ways. */
async function deliver({ app, body, request, reply, log }: Delivery): Promise<FastifyReply> {
  const ack: ReceiverEvent['ack'] = (response?: unknown) => {
    if (!reply.sent) reply.code(200).send(typeof response === 'object' || typeof response === 'string' ? response : '');
    return Promise.resolve();
  };
  const retryNum = headerOf(request, 'x-slack-retry-num');
  const retryReason = headerOf(request, 'x-slack-retry-reason');
  try {
    await app?.processEvent({
      body,
      ack,
      ...(retryNum === undefined ? {} : { retryNum: Number(retryNum) }),
      ...(retryReason === undefined ? {} : { retryReason }),
    });
  } catch (error) {
    log.error({ err: error }, 'a request of Slack could not be handled');
  }
  if (!reply.sent) refuse(reply, 404, 'unknown_payload', 'Nothing here answers this payload.');
  return reply;
}

function refuse(reply: FastifyReply, status: number, code: string, detail: string): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: code.replaceAll('_', ' '), status, detail, code });
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Commands are a form; interactions a form with JSON in `payload`; events are JSON. */
function parseBody(text: string, contentType: string): Record<string, unknown> | undefined {
  try {
    if (contentType.startsWith('application/json')) return asObject(JSON.parse(text));
    if (!contentType.startsWith('application/x-www-form-urlencoded')) return undefined;
    const form = new URLSearchParams(text);
    const payload = form.get('payload');
    return payload === null ? Object.fromEntries(form) : asObject(JSON.parse(payload));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
