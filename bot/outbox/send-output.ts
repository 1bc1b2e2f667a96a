import { readCard } from '../../services/slack/cards.ts';
import { createOutput } from '../blocks/output.ts';
import { reply } from './reply.ts';
import type { Sender } from './sender.ts';
import { uploadOutput } from './upload-output.ts';

/** What the action's processes printed, in the thread of its card; all of it as a file where it is long. */
export const sendOutput: Sender = async (deps, entry) => {
  const action = entry.action_id === null ? null : await readCard(deps.ctx, entry.action_id);
  if (action === null) return;
  await reply(deps, { entry, action, message: createOutput(action) });
  await uploadOutput(deps, action);
};
