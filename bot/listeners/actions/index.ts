import type { App } from '@slack/bolt';
import { BUTTONS } from '../../blocks/names.ts';
import type { MenuWord } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { approveCommentClicked } from './approve-comment.ts';
import { approveClicked } from './approve.ts';
import { askAgainClicked } from './ask-again.ts';
import { listenToBatchButtons } from './batch-click.ts';
import { breakGlassClicked } from './break-glass.ts';
import { cancelClicked } from './cancel.ts';
import type { ClickListener } from './click.ts';
import { listenToButton, listenToMenu } from './click.ts';
import { detailsClicked } from './details.ts';
import { rejectClicked } from './reject.ts';
import { unpauseClicked } from './unpause.ts';
import { whyClicked } from './why.ts';

/** One line a button. */
export const CLICKS: Readonly<Record<(typeof BUTTONS)[keyof typeof BUTTONS], ClickListener>> = {
  [BUTTONS.approve]: approveClicked,
  [BUTTONS.reject]: rejectClicked,
  [BUTTONS.details]: detailsClicked,
  [BUTTONS.cancel]: cancelClicked,
  [BUTTONS.askAgain]: askAgainClicked,
  [BUTTONS.unpause]: unpauseClicked,
};

/** Those that change something by themselves; the others read, or open a form. */
const RECORDED: readonly string[] = [BUTTONS.approve, BUTTONS.cancel, BUTTONS.unpause];

/** One line for each word of the card's menu. */
export const MENU_CLICKS: Readonly<Record<MenuWord, ClickListener>> = {
  approve_comment: approveCommentClicked,
  why: whyClicked,
  break_glass: breakGlassClicked,
};

export function listenToActions(app: App, deps: BotDeps): void {
  listenToBatchButtons(app, deps);
  listenToMenu(app, deps, MENU_CLICKS);
  for (const [name, listener] of Object.entries(CLICKS)) {
    listenToButton(app, deps, { name, listener, isRecorded: RECORDED.includes(name) });
  }
}
