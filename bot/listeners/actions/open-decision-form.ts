import type { ModalView } from '@slack/types';
import type { ActionView } from '../../../services/actions/action-view.ts';
import { checkDecision } from '../../../services/actions/check-decision.ts';
import type { Click } from './click.ts';

/** Opens a form to decide in. Who may not is told before they write anything; the decision judges again. */
export async function openDecisionForm(
  { deps, asker, actionId, channel, triggerId }: Click,
  form: { kind: 'approve' | 'reject'; create: (input: { action: ActionView; channel: string }) => ModalView },
): Promise<null> {
  const { action } = await checkDecision(deps.ctx, asker, { actionId, kind: form.kind });
  await deps.client.views.open({ trigger_id: triggerId, view: form.create({ action, channel }) });
  return null;
}
