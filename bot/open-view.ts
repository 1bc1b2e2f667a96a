import type { ModalView } from '@slack/types';
import { UnavailableError } from '../domain/errors.ts';
import type { BotDeps } from './deps.ts';

/** Opens a form. Throws UnavailableError `form_not_opened` where Slack would not: the trigger lives for three seconds. */
export async function openView(deps: BotDeps, form: { triggerId: string; view: ModalView }): Promise<void> {
  try {
    await deps.client.views.open({ trigger_id: form.triggerId, view: form.view });
  } catch (cause) {
    const message = 'Slack would not open the form, so nothing was done: try again.';
    throw new UnavailableError(message, { code: 'form_not_opened', cause });
  }
}
