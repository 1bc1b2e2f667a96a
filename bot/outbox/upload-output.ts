import type { ActionView } from '../../services/actions/action-view.ts';
import { findThread } from '../../services/slack/cards.ts';
import { createOutputFile } from '../blocks/output.ts';
import type { BotDeps } from '../deps.ts';
import { readSlackFailure } from '../transport/web-client.ts';

const UPLOAD_MS = 10_000; // at most 64 KiB and a little

/**
 * All of a long output as a file, below the message that shows a part of it; twice where we die in between, as Slack has
 * no key for an upload. Never rejects: the scope is optional, and without the file the message with the cut text still
 * tells the most.
 * https://docs.slack.dev/messaging/working-with-files#upload
 */
export async function uploadOutput(deps: BotDeps, action: ActionView): Promise<void> {
  const file = createOutputFile(action);
  const thread = file === null ? null : await findThread(deps.ctx, action.id);
  if (file === null || thread === null) return;
  try {
    const body = Buffer.from(file.content, 'utf8');
    const { filename, title } = file;
    const place = await deps.client.files.getUploadURLExternal({ filename, length: body.length });
    if (place.upload_url === undefined || place.file_id === undefined) throw new Error('Slack named no place.');
    const sent = await fetch(place.upload_url, { method: 'POST', body, signal: AbortSignal.timeout(UPLOAD_MS) });
    if (!sent.ok) throw new Error(`The upload was answered with ${sent.status}.`);
    await deps.client.files.completeUploadExternal({
      files: [{ id: place.file_id, title }],
      channel_id: thread.channel,
      thread_ts: thread.ts,
    });
  } catch (error) {
    const { code } = readSlackFailure(error);
    deps.log.info({ action_id: action.id, code }, 'output stands in its thread cut, as it could not be sent as a file');
  }
}
