import type { OutboxEntry } from '../../services/slack/outbox.ts';
import { forgetIntent, noteIntent } from '../../services/slack/outbox.ts';
import { createAuditLine } from '../blocks/audit-line.ts';
import { AUDIT_EVENT_TYPE } from '../blocks/names.ts';
import type { BotDeps } from '../deps.ts';
import { findLostPost } from './find-lost-post.ts';
import { post } from './post.ts';

/** The line of the day on how long the audit log is: once, found again where Slack's answer was lost. */
export async function sendAuditLine(deps: BotDeps, entry: OutboxEntry): Promise<void> {
  const { count, head } = entry.payload['audit'] as { count: number; head: string };
  const { channel } = deps;
  if (entry.payload['begun'] === true) {
    const since = new Date(Number(entry.payload['begun_ms']));
    const search = { channel, since, eventType: AUDIT_EVENT_TYPE, payload: { count, head } };
    if ((await findLostPost(deps, search)).kind === 'found') return;
  }
  const began = entry.payload['begun'] === true ? {} : { begun_ms: Date.now() };
  await noteIntent(deps.ctx, entry, began);
  const onRefused = (): Promise<void> => forgetIntent(deps.ctx, entry);
  await post(deps, { channel, message: createAuditLine({ count, head }), onRefused });
}
