import type { App } from '@slack/bolt';
import { decideAction } from '../../../services/actions/decide-action.ts';
import { FORMS } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { decideFromForm, readField } from './decision-form.ts';

const FIELD = 'reason';

/** An approval with a comment, bound to the playbook that the form showed. */
export function listenToApproveComment(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: FORMS.approveComment }, async ({ ack, body, view }) => {
    const reason = readField(view, FIELD);
    if (reason === '') {
      await ack({ response_action: 'errors', errors: { [FIELD]: 'Write the comment, or use the button Approve.' } });
      return;
    }
    await ack();
    await decideFromForm(deps, { body, view, kind: 'approve' }, ({ asker, actionId, decisionId, playbookDigest }) =>
      decideAction(deps.ctx, asker, { actionId, kind: 'approve', reason, decisionId, playbookDigest }),
    );
  });
}
