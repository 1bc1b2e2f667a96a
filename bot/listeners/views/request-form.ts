import type { App, SlackViewAction, ViewOutput } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import type { MedicError } from '../../../domain/errors.ts';
import { InvalidInputError } from '../../../domain/errors.ts';
import type { ActionView } from '../../../services/actions/action-view.ts';
import { FORMS } from '../../blocks/names.ts';
import { PARAM_PREFIX } from '../../blocks/param-inputs.ts';
import { createPlainForm } from '../../blocks/request-form.ts';
import type { BotDeps } from '../../deps.ts';
import { callerOf, identify } from '../../identify.ts';
import { openSeal } from '../../seal.ts';
import { tell, toSentence } from '../../tell.ts';
import { drawBareForm, drawShownForm, previewEntered } from '../draw-request-form.ts';
import type { RequestFormData, FormOwner } from '../draw-request-form.ts';
import { createRequestAnswer, describeRequest, requestFromSlack } from '../request.ts';
import { readEntered, typedParams } from '../request-state.ts';
import { updateView } from '../update-view.ts';
import { errorsByBlock, inTime } from './form-answer.ts';

const SLOW = 'This takes longer than usual. Wait here: what came of it will stand here.';

type Outcome =
  | { kind: 'asked'; action: ActionView; channel: string }
  | { kind: 'redrawn'; view: ModalView }
  | { kind: 'refused'; error: unknown; owner: FormOwner | null };

/**
 * Nothing is asked for that was not shown: where the form holds something else than its preview, or the rules have
 * changed since, the preview is drawn (again) and the person sends the form once more. What is wrong is told at its
 * field where it is known in time, else in the form. One form asks once.
 */
export function listenToRequestForm(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: FORMS.request }, async ({ ack, body, view }) => {
    const working = submit(deps, body, view);
    const early = await inTime(working);
    if (early?.kind === 'redrawn') {
      await ack({ response_action: 'update', view: early.view });
      return;
    }
    if (early?.kind === 'refused') {
      const redrawn = redrawRefused(deps, early, view);
      if (redrawn === null) await ack({ response_action: 'errors', errors: errorsOf(early.error as MedicError, view) });
      else await ack({ response_action: 'update', view: redrawn });
      return;
    }
    if (early === null) await ack({ response_action: 'update', view: slowForm(view) });
    else await ack();
    const outcome = await working;
    if (early === null) await settleSlowly(deps, outcome, view);
    if (outcome.kind !== 'asked') return;
    await tell(deps, { channel: outcome.channel, userId: body.user.id }, createRequestAnswer(outcome.action));
  });
}

async function submit(deps: BotDeps, body: SlackViewAction, view: ViewOutput): Promise<Outcome> {
  let owner: FormOwner | null = null;
  try {
    const userId = body.user.id;
    const asker = await identify(deps, callerOf(body), { tried: 'form' });
    const form = { callbackId: FORMS.request, userId, metadata: view.private_metadata, tried: 'form' };
    const data = (await openSeal(deps, form)) as RequestFormData;
    owner = { asker, userId, channel: data.channel };
    return await askOrShow(deps, owner, { view, data });
  } catch (error) {
    return { kind: 'refused', error, owner };
  }
}

async function askOrShow(
  deps: BotDeps,
  owner: FormOwner,
  { view, data }: { view: ViewOutput; data: RequestFormData },
): Promise<Outcome> {
  const entered = readEntered(view);
  const playbook = deps.ctx.config.current().playbooks.get(entered.playbook);
  if (playbook === undefined || playbook.digest !== data.digest) {
    const notice = 'The playbook is another one now: look at what it needs to know.';
    return { kind: 'redrawn', view: drawBareForm(deps, owner, { entered, notice }) };
  }
  const preview = await previewEntered(deps, owner.asker, { playbook, entered });
  if (preview.fingerprint !== data.fingerprint) {
    const notice =
      data.fingerprint === null
        ? 'Nothing is asked yet: the end of this form shows what would run. Send it again to ask for that.'
        : 'This has changed since it was shown, so nothing is asked yet: look at the end of this form again.';
    return { kind: 'redrawn', view: await drawShownForm(deps, owner, { entered, preview, notice }) };
  }
  const action = await requestFromSlack(deps, owner.asker, {
    playbook: playbook.name,
    server: entered.server,
    params: typedParams(playbook, entered),
    reason: entered.reason.trim() === '' ? undefined : entered.reason,
    channel: owner.channel,
    requestKey: `slack:${view.id}`,
  });
  return { kind: 'asked', action, channel: owner.channel };
}

/** What has no field of its own is told above the form, which keeps what was entered; null: fields can tell it. */
function redrawRefused(
  deps: BotDeps,
  refused: Extract<Outcome, { kind: 'refused' }>,
  view: ViewOutput,
): ModalView | null {
  const { error, owner } = refused;
  const sentence = toSentence(deps, error);
  if (owner === null) return createPlainForm(sentence, '');
  if (error instanceof InvalidInputError && Object.keys(errorsOf(error, view)).length > 0) return null;
  return drawBareForm(deps, owner, { entered: readEntered(view), notice: sentence });
}

function errorsOf(error: MedicError, view: ViewOutput): Record<string, string> {
  const blocks = view.blocks.flatMap(({ type, block_id: id }) => (type === 'input' && id !== undefined ? [id] : []));
  return errorsByBlock(error, { blocks, blockOf: (field) => field.replace(/^params\./, PARAM_PREFIX) });
}

/** The same form, which Slack keeps open while we still work. */
function slowForm(view: ViewOutput): ModalView {
  return createPlainForm(SLOW, view.private_metadata);
}

async function settleSlowly(deps: BotDeps, outcome: Outcome, view: ViewOutput): Promise<void> {
  switch (outcome.kind) {
    case 'redrawn':
      return updateView(deps, view.id, outcome.view);
    case 'asked':
      return updateView(deps, view.id, createPlainForm(describeRequest(outcome.action), ''));
    case 'refused': {
      const sentence = toSentence(deps, outcome.error);
      const { owner } = outcome;
      const form =
        owner === null
          ? createPlainForm(sentence, '')
          : drawBareForm(deps, owner, { entered: readEntered(view), notice: sentence });
      return updateView(deps, view.id, form);
    }
  }
}
