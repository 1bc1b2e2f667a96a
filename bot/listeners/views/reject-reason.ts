import type { App } from '@slack/bolt';
import { decideAction } from '../../../services/actions/decide-action.ts';
import { FORMS } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { decideFromForm, readField } from './decision-form.ts';

const FIELD = 'reason';

/** The form is closed at once; what came of it is told in the channel where the button stood, privately. */
export function listenToRejectReason(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: FORMS.rejectReason }, async ({ ack, body, view }) => {
    const reason = readField(view, FIELD);
    if (reason === '') {
      await ack({ response_action: 'errors', errors: { [FIELD]: 'A rejection needs a reason.' } });
      return;
    }
    await ack();
    await decideFromForm(deps, { body, view, kind: 'reject' }, ({ asker, actionId, decisionId }) =>
      decideAction(deps.ctx, asker, { actionId, kind: 'reject', reason, decisionId }),
    );
  });
}
