import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
} from '@slack/web-api';
import type { WebAPICallResult, WebClientOptions } from '@slack/web-api';
import type { Logger } from 'pino';
import type { DurableStep } from '../../domain/durable-step.ts';
import { durably } from '../../domain/durable-step.ts';
import { adaptLogger } from './bolt-logger.ts';

export const SLACK_API_URL = 'https://slack.com/api/';

const CALL_MS = 10_000; // far below the lease of an outbox entry

/** Nothing is retried inside a call: the outbox does that, and a person is told instead of left waiting. */
export function webClientOptions(input: { apiUrl: string; log: Logger }): WebClientOptions {
  return {
    slackApiUrl: input.apiUrl,
    timeout: CALL_MS,
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
    logger: adaptLogger(input.log),
  };
}

export function createWebClient(input: { token: string; apiUrl: string; log: Logger }): WebClient {
  return new LastingWebClient(input.token, webClientOptions(input));
}

/** The calls whose effect stays in Slack when we die. */
const LASTING: Readonly<Record<string, DurableStep>> = {
  'chat.postMessage': 'slack.post',
  'chat.update': 'slack.update',
  'files.completeUploadExternal': 'slack.upload',
  'views.publish': 'slack.publish',
};

class LastingWebClient extends WebClient {
  override apiCall(method: string, options?: Record<string, unknown>): Promise<WebAPICallResult> {
    const step = LASTING[method];
    return step === undefined ? super.apiCall(method, options) : durably(step, () => super.apiCall(method, options));
  }
}

export type SlackFailure =
  /** Slack said no, with its code: nothing was done. */
  | { kind: 'refused'; code: string }
  /** Too many: nothing was done. */
  | { kind: 'limited'; retryAfterMs: number; code: string }
  /** No answer, or one that says nothing: it may have been done. */
  | { kind: 'unknown'; code: string };

/** What a failed call of the Web API means. */
export function readSlackFailure(error: unknown): SlackFailure {
  const cause = unwrap(error);
  if (cause instanceof WebAPIRateLimitedError) {
    return { kind: 'limited', retryAfterMs: cause.retryAfter * 1000, code: 'ratelimited' };
  }
  if (cause instanceof WebAPIPlatformError) return { kind: 'refused', code: cause.data.error };
  if (cause instanceof WebAPIHTTPError) return { kind: 'unknown', code: `http_${cause.statusCode}` };
  return { kind: 'unknown', code: cause instanceof Error ? cause.message.slice(0, 200) : 'unknown' };
}

/** Whether Slack as a whole does not answer: it is nothing about the call. */
export function isSlackAway(error: unknown): boolean {
  const cause = unwrap(error);
  return cause instanceof WebAPIRequestError || (cause instanceof WebAPIHTTPError && cause.statusCode >= 500);
}

/** The client's retry layer hands some errors on inside another. */
function unwrap(error: unknown): unknown {
  const inner = error instanceof Error && 'originalError' in error ? error.originalError : undefined;
  return inner instanceof Error ? inner : error;
}
