import type { App } from '@slack/bolt';
import { FORMS } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { approveFromForm } from './approve-from-form.ts';

/** An admin's approval past its rule; audited, and told in the channel. */
export function listenToBreakGlass(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: FORMS.breakGlass }, ({ ack, body, view }) =>
    approveFromForm(deps, { ack, body, view, breakGlass: true }),
  );
}
