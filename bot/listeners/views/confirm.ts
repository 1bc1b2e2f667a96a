import type { App } from '@slack/bolt';
import { FORMS } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { approveFromForm } from './approve-from-form.ts';

/** An approval at high or critical risk, with what it has to carry. */
export function listenToConfirm(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: FORMS.confirm }, ({ ack, body, view }) =>
    approveFromForm(deps, { ack, body, view }),
  );
}
