import { createHmac, timingSafeEqual } from 'node:crypto';

const WINDOW_S = 300; // Slack's own advice; in both directions, or a request dated ahead could be kept for later

/**
 * Slack's signature, version v0, over the body as it came.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function isSignedBySlack(input: {
  signingSecret: string;
  timestamp: string | undefined;
  signature: string | undefined;
  rawBody: Buffer;
  nowMs: number;
}): boolean {
  const { timestamp, signature } = input;
  if (timestamp === undefined || signature === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(input.nowMs / 1000 - Number(timestamp)) > WINDOW_S) return false;
  const hmac = createHmac('sha256', input.signingSecret).update(`v0:${timestamp}:`).update(input.rawBody);
  const expected = Buffer.from(`v0=${hmac.digest('hex')}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
