import { createRejectForm } from '../../blocks/decision-forms.ts';
import { FORMS } from '../../blocks/names.ts';
import type { ClickListener } from './click.ts';
import { openDecisionForm } from './open-decision-form.ts';

/** Opens the form for the reason. */
export const rejectClicked: ClickListener = (click) =>
  openDecisionForm(click, { kind: 'reject', callbackId: FORMS.rejectReason, create: createRejectForm });
