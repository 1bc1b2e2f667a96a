import type { ModalView } from '@slack/types';
import { UnavailableError } from '../../../domain/errors.ts';
import { authorise } from '../../../services/authorise.ts';
import { hasServers } from '../../../services/servers/search-servers.ts';
import { FORMS } from '../../blocks/names.ts';
import { createPlainForm } from '../../blocks/request-form.ts';
import type { Entered } from '../../blocks/request-form.ts';
import type { BotDeps } from '../../deps.ts';
import { sealForm } from '../../seal.ts';
import { drawBareForm, drawForm } from '../draw-request-form.ts';
import type { FormOwner } from '../draw-request-form.ts';
import { updateView } from '../update-view.ts';
import type { CommandListener } from './command.ts';

/** `/remediate` alone. */
export const openForm: CommandListener = async (call) => {
  await openRequestForm(call.deps, call);
  return null;
};

/** What stands in the form already, as an action has it or as somebody said it. */
export interface Prefill {
  playbook?: string | undefined;
  server?: string | undefined;
  params?: Readonly<Record<string, unknown>> | undefined;
  reason?: string | undefined;
}

/**
 * Opens the request form for one person within the three seconds of their trigger, then fills in what takes longer.
 * What it opened stays open, whatever comes after. Throws NotAllowedError `role_missing`; UnavailableError
 * `form_not_opened` where Slack would not open it.
 */
export async function openRequestForm(
  deps: BotDeps,
  input: FormOwner & { triggerId: string; prefill?: Prefill | undefined },
): Promise<void> {
  const { triggerId, prefill = {}, asker, userId, channel } = input;
  const owner = { asker, userId, channel };
  authorise(asker, 'actions.request');
  const entered = readPrefill(prefill);
  const opened = await deps.client.views
    .open({ trigger_id: triggerId, view: drawBareForm(deps, owner, { entered }) })
    .catch((cause: unknown) => {
      const message = 'Slack would not open the form, so nothing was asked: try again.';
      throw new UnavailableError(message, { code: 'form_not_opened', cause });
    });
  const filled = await fillForm(deps, owner, entered);
  if (filled !== null && opened.view?.id !== undefined) await updateView(deps, opened.view.id, filled);
}

/** What only the database knows; null where the form is right as it is. */
async function fillForm(deps: BotDeps, owner: FormOwner, entered: Entered): Promise<ModalView | null> {
  if (entered.server !== '') return drawForm(deps, owner, entered);
  const isEmpty = await hasServers(deps.ctx, owner.asker).then(
    (has) => !has,
    () => false, // then the menu of servers tells, by being empty
  );
  if (!isEmpty) return null;
  const metadata = sealForm(deps, { callbackId: FORMS.request, userId: owner.userId, data: null });
  return createPlainForm('There are no servers yet: enrol one with `medic servers enroll` first.', metadata);
}

function readPrefill({ playbook = '', server = '', params = {}, reason = '' }: Prefill): Entered {
  const values = Object.entries(params).map(([name, value]) => [name, String(value)] as const);
  return { playbook, server, params: Object.fromEntries(values), reason };
}
