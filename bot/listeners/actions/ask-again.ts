import { getAction } from '../../../services/actions/read-actions.ts';
import { openRequestForm } from '../commands/open-form.ts';
import type { ClickListener } from './click.ts';

/** Opens the form for a request, filled in as this one was. What it needs is decided anew. */
export const askAgainClicked: ClickListener = async ({ deps, asker, userId, actionId, channel, triggerId }) => {
  const { playbook, server, params, reason } = await getAction(deps.ctx, asker, actionId);
  await openRequestForm(deps, {
    asker,
    userId,
    triggerId,
    channel: channel ?? deps.channel,
    prefill: { playbook, server, params, reason: reason ?? undefined },
  });
  return null;
};
