import type { App } from '@slack/bolt';
import { decideAction } from '../../../services/actions/decide-action.ts';
import { FORMS } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { decideFromForm, readField } from './decision-form.ts';

/** A rejection, with its reason. */
export function listenToRejectReason(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: FORMS.rejectReason }, async ({ ack, body, view }) => {
    const reason = readField(view, 'reason');
    await decideFromForm(deps, { ack, body, view, kind: 'reject' }, ({ asker, actionId, decisionId }) =>
      decideAction(deps.ctx, asker, { actionId, kind: 'reject', reason, decisionId }),
    );
  });
}
