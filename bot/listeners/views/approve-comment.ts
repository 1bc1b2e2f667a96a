import type { App } from '@slack/bolt';
import { FORMS } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { approveFromForm } from './approve-from-form.ts';

/** An approval with a comment. */
export function listenToApproveComment(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: FORMS.approveComment }, ({ ack, body, view }) =>
    approveFromForm(deps, { ack, body, view }),
  );
}
