import type { App } from '@slack/bolt';
import { decideAction } from '../../../services/actions/decide-action.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { FORMS } from '../../blocks/names.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { BotDeps } from '../../deps.ts';
import { identify } from '../../identify.ts';
import { answer } from '../../tell.ts';

const FIELD = 'reason';

/** The form is closed at once; what came of it is told in the channel where the button stood, privately. */
export function listenToRejectReason(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: FORMS.rejectReason }, async ({ ack, body, view }) => {
    const reason = (view.state.values[FIELD]?.[FIELD]?.value ?? '').trim();
    if (reason === '') {
      await ack({ response_action: 'errors', errors: { [FIELD]: 'A rejection needs a reason.' } });
      return;
    }
    await ack();
    const { actionId, channel } = readPrivate(view.private_metadata);
    const userId = body.user.id;
    await answer(deps, { channel: channel ?? deps.channel, userId }, async () => {
      const person = { userId, teamIds: [body.team?.id, body.user.team_id] };
      const asker = await identify(deps, person, { tried: 'reject', actionId });
      const decisionId = createDecisionId({ triggerId: view.id, userId, kind: 'reject', actionId });
      const outcome = await decideAction(deps.ctx, asker, { actionId, kind: 'reject', reason, decisionId });
      return createAnswer(outcome.sentence);
    });
  });
}

/** Slack keeps it for us and shows it to nobody; a view that we did not open holds none of ours. */
function readPrivate(text: string): { actionId: string; channel: string | undefined } {
  try {
    const value = JSON.parse(text) as { action_id?: unknown; channel?: unknown };
    return {
      actionId: typeof value.action_id === 'string' ? value.action_id : '',
      channel: typeof value.channel === 'string' ? value.channel : undefined,
    };
  } catch {
    return { actionId: '', channel: undefined };
  }
}
