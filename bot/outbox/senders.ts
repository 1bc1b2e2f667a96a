import type { OutboxKind } from '../../services/slack/outbox.ts';
import { sendAnnouncement } from './send-announcement.ts';
import { sendBatch, sendCard } from './send-card.ts';
import { sendNotice } from './send-notice.ts';
import { sendOutput } from './send-output.ts';
import { sendPrivate } from './send-private.ts';
import { sendReminder } from './send-reminder.ts';
import type { Sender } from './sender.ts';

/** One line a kind of message. */
export const SENDERS: Readonly<Record<OutboxKind, Sender>> = {
  card: sendCard,
  batch: sendBatch,
  notice: sendNotice,
  private: sendPrivate,
  output: sendOutput,
  reminder: sendReminder,
  announcement: sendAnnouncement,
};
