import { checkDecision } from '../../../services/actions/check-decision.ts';
import { createRejectForm } from '../../blocks/forms.ts';
import type { ClickListener } from './click.ts';

/** Opens the form for the reason. Who may not reject is told before they write one; the form judges again. */
export const rejectClicked: ClickListener = async ({ deps, asker, actionId, channel, triggerId }) => {
  const { action } = await checkDecision(deps.ctx, asker, { actionId, kind: 'reject' });
  await deps.client.views.open({ trigger_id: triggerId, view: createRejectForm({ action, channel }) });
  return null;
};
