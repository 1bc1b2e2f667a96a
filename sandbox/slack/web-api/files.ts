import { BOT_USER_ID, listOf, textOf } from '../model.ts';
import type { Json, StoredFile } from '../model.ts';
import { newId } from '../store.ts';
import { checkContent } from './chat.ts';
import { TIER_4 } from './method.ts';
import type { Method, MethodContext } from './method.ts';
import { Refusal } from './refusal.ts';

const WRITE = ['files:write'];
const MAX_FILE_BYTES = 1024 * 1024; // Slack takes a gigabyte; what Medic sends is far below this

export const FILE_METHODS: Record<string, Method> = {
  'files.getUploadURLExternal': { scopes: WRITE, perMinute: TIER_4, run: announceFile },
  'files.completeUploadExternal': { scopes: WRITE, perMinute: TIER_4, run: shareFiles },
};

function announceFile({ store, args }: MethodContext): Json {
  const [name, size] = [textOf(args['filename']), Number(args['length'])];
  if (name === '' || !Number.isInteger(size) || size <= 0) throw new Refusal('missing_argument');
  if (size > MAX_FILE_BYTES) throw new Refusal('file_upload_size_restricted');
  const id = newId('F');
  store.uploads.announce({ id, name, title: name, size });
  return { upload_url: `${store.baseUrl}/upload/${id}`, file_id: id };
}

/** One message with all the files, in the channel or its thread; without a channel they stay private. */
function shareFiles({ store, args }: MethodContext): Json {
  const wanted = listOf(args['files']);
  if (wanted.length === 0) throw new Refusal('invalid_arguments');
  const files = wanted.map((one): StoredFile => {
    const file = store.uploads.received(textOf(one['id']));
    if (file === undefined) throw new Refusal('file_not_found');
    return { ...file, title: textOf(one['title']) || file.name };
  });
  const channel = textOf(args['channel_id']);
  if (channel !== '') share({ store, channel, files, args });
  return { files: files.map(({ id, title }) => ({ id, title })) };
}

function share(input: { store: MethodContext['store']; channel: string; files: StoredFile[]; args: Json }): void {
  const { store, files, args } = input;
  const channel = store.channel(input.channel);
  if (channel === undefined || channel.is_member === false) throw new Refusal('invalid_channel');
  const threadTs = textOf(args['thread_ts']);
  if (threadTs !== '' && store.message(channel.id, threadTs) === undefined) throw new Refusal('thread_not_found');
  const comment = textOf(args['initial_comment']);
  const hasBlocks = comment === '' && args['blocks'] !== undefined;
  for (const file of files) store.uploads.keep(file);
  store.addMessage({
    channel: channel.id,
    user: BOT_USER_ID,
    ...(hasBlocks ? checkContent({ blocks: args['blocks'] }) : { text: comment }),
    ...(threadTs === '' ? {} : { thread_ts: threadTs }),
    files: files.map(({ text: _text, ...shown }) => shown),
  });
}
