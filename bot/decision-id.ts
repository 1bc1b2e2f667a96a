import { createHash } from 'node:crypto';

/** The id of one click: the same however often it is delivered, so that it decides once. As a UUID (version 8). */
export function createDecisionId(click: { triggerId: string; userId: string; kind: string; actionId: string }): string {
  const text = JSON.stringify([click.triggerId, click.userId, click.kind, click.actionId]);
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
