import { createHmac } from 'node:crypto';
import type { Json } from '../model.ts';

export type PayloadKind = 'command' | 'interactive' | 'event';
export type Tamper = 'bad_signature' | 'stale' | 'future' | 'no_signature';

export interface SignedRequest {
  url: string;
  signingSecret: string;
  kind: PayloadKind;
  payload: Json;
  tamper?: Tamper | undefined;
  signal?: AbortSignal;
}

const OUTSIDE_WINDOW_S = 600; // Slack's own advice is to refuse what is more than five minutes off

/** One POST as Slack makes it. Rejects when nobody answers. */
export async function postSigned(request: SignedRequest): Promise<{ status: number; body: string }> {
  const { body, type } = encode(request.kind, request.payload);
  const response = await fetch(request.url, {
    method: 'POST',
    body,
    headers: { 'content-type': type, 'user-agent': 'Slackbot 1.0 (sandbox)', ...signatureOf(request, body) },
    redirect: 'error',
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  return { status: response.status, body: await response.text() };
}

function encode(kind: PayloadKind, payload: Json): { body: string; type: string } {
  if (kind === 'event') return { body: JSON.stringify(payload), type: 'application/json' };
  const form =
    kind === 'command'
      ? Object.entries(payload).map(([key, value]): [string, string] => [key, String(value)])
      : [['payload', JSON.stringify(payload)] satisfies [string, string]];
  return { body: new URLSearchParams(form).toString(), type: 'application/x-www-form-urlencoded' };
}

function signatureOf({ signingSecret, tamper }: SignedRequest, body: string): Record<string, string> {
  if (tamper === 'no_signature') return {};
  const nowS = Math.floor(Date.now() / 1000);
  const shiftS = tamper === 'stale' ? -OUTSIDE_WINDOW_S : 0;
  const timestamp = String(nowS + (tamper === 'future' ? OUTSIDE_WINDOW_S : shiftS));
  const secret = tamper === 'bad_signature' ? `${signingSecret}x` : signingSecret;
  const digest = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${digest}` };
}
