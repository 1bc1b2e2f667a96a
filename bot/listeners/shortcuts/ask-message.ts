import type { App, MessageShortcut } from '@slack/bolt';
import { setTimeout as wait } from 'node:timers/promises';
import { findMentionedServer } from '../../../services/servers/search-servers.ts';
import { SHORTCUTS } from '../../blocks/names.ts';
import { cut } from '../../blocks/text.ts';
import type { BotDeps } from '../../deps.ts';
import { findPermalink } from '../../find-permalink.ts';
import { callerOf, identify } from '../../identify.ts';
import { readSlackMarks } from '../../slack-marks.ts';
import { answer } from '../../tell.ts';
import { openRequestForm } from '../commands/open-form.ts';

const HELP_MS = 800; // the form must be open within three seconds
const MAX_REASON = 1_000; // what an action keeps

/** "Remediate this…" on a message: what it says is the reason, with the way back to it, and the server is the one it names. */
export function listenToAskMessage(app: App, deps: BotDeps): void {
  const shortcut = { type: 'message_action', callback_id: SHORTCUTS.askMessage } as const;
  app.shortcut<MessageShortcut>(shortcut, async ({ ack, shortcut: body, respond }) => {
    await ack();
    const userId = body.user.id;
    const channel = body.channel.id;
    await answer(deps, { respond, channel, userId }, async () => {
      const asker = await identify(deps, callerOf(body), { tried: 'shortcut' });
      const text = readMessage(body);
      const [permalink, server] = await Promise.all([
        inTime(findPermalink(deps, { channel, ts: body.message_ts })),
        inTime(findMentionedServer(deps.ctx, asker, text)),
      ]);
      const prefill = { reason: createReason(text, permalink), server: server ?? undefined };
      await openRequestForm(deps, { asker, userId, channel, triggerId: body.trigger_id, prefill });
      return null;
    });
  });
}

/** What a person reads there: programs often write only attachments. */
function readMessage({ message }: MessageShortcut): string {
  const attachments = message['attachments'] as { fallback?: unknown; text?: unknown }[] | undefined;
  const texts = [message.text, attachments?.[0]?.text, attachments?.[0]?.fallback];
  const text = texts.find((one): one is string => typeof one === 'string' && one.trim() !== '') ?? '';
  return readSlackMarks(text).trim();
}

/** The link stands whole, whatever is cut off the words. */
function createReason(text: string, permalink: string | null): string {
  if (permalink === null) return cut(text, MAX_REASON);
  const words = cut(text, MAX_REASON - permalink.length - 1);
  return words === '' ? permalink : `${words}\n${permalink}`;
}

/** A help that is not needed: null where it does not come in time, or not at all. */
function inTime<T>(help: Promise<T | null>): Promise<T | null> {
  return Promise.race([help.catch(() => null), wait(HELP_MS, null, { ref: false })]);
}
