import type { ClickListener } from './click.ts';
import { openDecisionForm } from './open-decision-form.ts';

/** Opens the form for the reason. */
export const rejectClicked: ClickListener = (click) => openDecisionForm(click, 'reject');
