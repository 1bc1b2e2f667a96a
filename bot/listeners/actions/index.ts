import type { App } from '@slack/bolt';
import { BUTTONS } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { approveClicked } from './approve.ts';
import { cancelClicked } from './cancel.ts';
import type { ClickListener } from './click.ts';
import { listenToButton } from './click.ts';
import { detailsClicked } from './details.ts';
import { rejectClicked } from './reject.ts';

/** One line a button. */
export const CLICKS: Readonly<Record<(typeof BUTTONS)[keyof typeof BUTTONS], ClickListener>> = {
  [BUTTONS.approve]: approveClicked,
  [BUTTONS.reject]: rejectClicked,
  [BUTTONS.details]: detailsClicked,
  [BUTTONS.cancel]: cancelClicked,
};

export function listenToActions(app: App, deps: BotDeps): void {
  for (const [name, listener] of Object.entries(CLICKS)) listenToButton(app, deps, { name, listener });
}
