import { ConflictError, NotAllowedError } from '../../../domain/errors.ts';
import { judgeDecision } from '../../../domain/policy.ts';
import { describeEnd } from '../../../services/actions/describe-end.ts';
import { getAction } from '../../../services/actions/read-actions.ts';
import { recordRefusedAttempt } from '../../../services/slack/record-refused-attempt.ts';
import { createRejectForm } from '../../blocks/forms.ts';
import type { ClickListener } from './click.ts';

/** Opens the form for the reason. Who may not reject is told before they write one; the form judges again. */
export const rejectClicked: ClickListener = async ({ deps, asker, userId, actionId, channel, triggerId }) => {
  const action = await getAction(deps.ctx, asker, actionId);
  const decidedBy = action.approvals.map(({ by }) => by);
  const judgement = judgeDecision({ kind: 'reject', asker, action: { ...action, decidedBy } });
  if (!judgement.isAllowed) {
    const { code, sentence } = judgement;
    const actor = asker.principal.name;
    await recordRefusedAttempt(deps.ctx, { slackUserId: userId, code, tried: 'reject', actionId, actor });
    throw new NotAllowedError(sentence, { code });
  }
  if (action.status !== 'pending') throw new ConflictError(describeEnd(action), { code: 'already_decided' });
  await deps.client.views.open({ trigger_id: triggerId, view: createRejectForm({ action, channel }) });
  return null;
};
