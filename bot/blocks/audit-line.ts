import type { MessageMetadata } from '@slack/types';
import type { Message } from './message.ts';
import { AUDIT_EVENT_TYPE } from './names.ts';
import { sentenceBlock } from './parts.ts';

const SHOWN_DIGITS = 12; // as many as a person compares

/** How long the audit log was at a time that Slack remembers: a witness that nobody of ours can rewrite unseen. */
export function createAuditLine(growth: { count: number; head: string }): Message & { metadata: MessageMetadata } {
  const { count, head } = growth;
  const digits = head.replace('sha256:', '').slice(0, SHOWN_DIGITS);
  const text = `Audit: ${count} ${count === 1 ? 'event' : 'events'}, head ${digits}…`;
  return {
    text,
    blocks: [sentenceBlock(text)],
    metadata: { event_type: AUDIT_EVENT_TYPE, event_payload: { count, head } },
  };
}
