import type { ModalView } from '@slack/types';
import type { ActionView } from '../../../services/actions/action-view.ts';
import { checkDecision } from '../../../services/actions/check-decision.ts';
import { sealForm } from '../../seal.ts';
import type { DecisionFormData } from '../views/decision-form.ts';
import type { Click } from './click.ts';

export interface DecisionForm {
  kind: 'approve' | 'reject';
  callbackId: string;
  create: (input: { action: ActionView; privateMetadata: string }) => ModalView;
}

/** Opens a form to decide in. Who may not is told before they write anything; the decision judges again. */
export async function openDecisionForm(
  { deps, asker, userId, actionId, channel, triggerId }: Click,
  form: DecisionForm,
): Promise<null> {
  const { action } = await checkDecision(deps.ctx, asker, { actionId, kind: form.kind });
  const data: DecisionFormData = { actionId: action.id, channel, playbookDigest: action.playbookDigest };
  const privateMetadata = sealForm(deps, { callbackId: form.callbackId, userId, data });
  await deps.client.views.open({ trigger_id: triggerId, view: form.create({ action, privateMetadata }) });
  return null;
}
