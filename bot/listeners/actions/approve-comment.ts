import type { ClickListener } from './click.ts';
import { openDecisionForm } from './open-decision-form.ts';

/** Opens the form for the words. */
export const approveCommentClicked: ClickListener = (click) => openDecisionForm(click, 'comment');
