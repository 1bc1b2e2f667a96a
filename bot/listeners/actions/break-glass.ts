import type { ClickListener } from './click.ts';
import { openDecisionForm } from './open-decision-form.ts';

/** Opens the form for an admin's way past the rule. */
export const breakGlassClicked: ClickListener = (click) => openDecisionForm(click, 'breakGlass');
