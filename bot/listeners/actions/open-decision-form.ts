import type { ModalView } from '@slack/types';
import {
  createBreakGlassForm,
  createApproveCommentForm,
  createConfirmForm,
  createRejectForm,
} from '../../blocks/decision-forms.ts';
import type { DecisionFormInput } from '../../blocks/decision-forms.ts';
import { FORMS } from '../../blocks/names.ts';
import { checkDecision } from '../../../services/actions/check-decision.ts';
import { openView } from '../../open-view.ts';
import { sealForm } from '../../seal.ts';
import type { DecisionFormData } from '../views/decision-form.ts';
import type { Click } from './click.ts';

interface DecisionForm {
  kind: 'approve' | 'reject';
  callbackId: string;
  create: (input: DecisionFormInput) => ModalView;
  breakGlass?: boolean;
}

export const DECISION_FORMS = {
  reject: { kind: 'reject', callbackId: FORMS.rejectReason, create: createRejectForm },
  comment: { kind: 'approve', callbackId: FORMS.approveComment, create: createApproveCommentForm },
  confirm: { kind: 'approve', callbackId: FORMS.confirm, create: createConfirmForm },
  breakGlass: { kind: 'approve', callbackId: FORMS.breakGlass, create: createBreakGlassForm, breakGlass: true },
} as const satisfies Record<string, DecisionForm>;

/** Opens a form to decide in. Who may not is told before they write anything; the decision judges again. */
export async function openDecisionForm(
  { deps, asker, userId, actionId, channel, triggerId }: Click,
  name: keyof typeof DECISION_FORMS,
): Promise<null> {
  const form: DecisionForm = DECISION_FORMS[name];
  const { kind, breakGlass, callbackId } = form;
  const { action } = await checkDecision(deps.ctx, asker, { actionId, kind, breakGlass });
  const data: DecisionFormData = { actionId: action.id, channel, playbookDigest: action.playbookDigest };
  const privateMetadata = sealForm(deps, { callbackId, userId, data });
  await openView(deps, { triggerId, view: form.create({ action, privateMetadata }) });
  return null;
}
