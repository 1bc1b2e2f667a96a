import type { App, BlockAction, ViewOutput } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import { FORMS, SEARCHES } from '../../blocks/names.ts';
import { PARAM_PREFIX } from '../../blocks/param-inputs.ts';
import { createPlainForm } from '../../blocks/request-form.ts';
import type { BotDeps } from '../../deps.ts';
import { callerOf, identify } from '../../identify.ts';
import { openSeal } from '../../seal.ts';
import { toSentence } from '../../tell.ts';
import { drawForm } from '../draw-request-form.ts';
import type { RequestFormData } from '../draw-request-form.ts';
import { readEntered } from '../request-state.ts';
import { inTurn, updateView } from '../update-view.ts';

const CHANGES = new RegExp(`^(?:playbook|${SEARCHES.playbook}|${SEARCHES.server}|${PARAM_PREFIX}.+)$`);

/** Draws the form anew when somebody chooses: the playbook's inputs, and the preview once there is enough for one. */
export function listenToRequestFormChanges(app: App, deps: BotDeps): void {
  app.action<BlockAction>({ type: 'block_actions', action_id: CHANGES }, async ({ ack, body }) => {
    await ack();
    const { view } = body;
    if (view?.callback_id !== FORMS.request) return;
    await inTurn(view.id, async () => {
      await updateView(deps, view.id, await redraw(deps, body, view));
    });
  });
}

async function redraw(deps: BotDeps, body: BlockAction, view: ViewOutput): Promise<ModalView> {
  const userId = body.user.id;
  try {
    const asker = await identify(deps, callerOf(body), { tried: 'form' });
    const form = { callbackId: FORMS.request, userId, metadata: view.private_metadata, tried: 'form' };
    const { channel } = (await openSeal(deps, form)) as RequestFormData;
    return await drawForm(deps, { asker, userId, channel }, readEntered(view));
  } catch (error) {
    return createPlainForm(toSentence(deps, error), '');
  }
}
