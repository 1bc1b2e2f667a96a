import type { App, SlackViewAction, ViewOutput } from '@slack/bolt';
import { setTimeout as wait } from 'node:timers/promises';
import { MedicError } from '../../../domain/errors.ts';
import type { ActionView } from '../../../services/actions/action-view.ts';
import type { REQUEST_FIELDS } from '../../blocks/forms.ts';
import { FORMS } from '../../blocks/names.ts';
import type { BotDeps } from '../../deps.ts';
import { parsePairs } from '../../grammar.ts';
import { identify } from '../../identify.ts';
import { explain, tell } from '../../tell.ts';
import { createRequestAnswer, requestFromSlack } from '../request.ts';

const PATIENCE_MS = 1_800; // Slack waits three seconds for the answer to a form

type Field = (typeof REQUEST_FIELDS)[number];
type Outcome = { action: ActionView } | { error: unknown };

/** What is wrong is told at its field where it is known in time, else privately. */
export function listenToRequestForm(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: FORMS.request }, async ({ ack, body, view }) => {
    const working = request(deps, body, view).then(
      (action): Outcome => ({ action }),
      (error: unknown): Outcome => ({ error }),
    );
    const early = await Promise.race([working, wait(PATIENCE_MS, null, { ref: false })]);
    if (early !== null && 'error' in early && early.error instanceof MedicError) {
      await ack({ response_action: 'errors', errors: { [fieldOf(early.error)]: early.error.message.slice(0, 150) } });
      return;
    }
    await ack();
    const outcome = await working;
    const message = 'error' in outcome ? explain(deps, outcome.error) : createRequestAnswer(outcome.action);
    await tell(deps, { channel: view.private_metadata || deps.channel, userId: body.user.id }, message);
  });
}

async function request(deps: BotDeps, body: SlackViewAction, view: ViewOutput): Promise<ActionView> {
  const person = { userId: body.user.id, teamIds: [body.team?.id, body.user.team_id] };
  const asker = await identify(deps, person, { tried: 'form' });
  const reason = read(view, 'reason');
  return requestFromSlack(deps, asker, {
    playbook: read(view, 'playbook'),
    server: read(view, 'server'),
    params: parsePairs(read(view, 'params')),
    reason: reason === '' ? undefined : reason,
    channel: view.private_metadata || deps.channel,
    requestKey: `slack:${view.id}`,
  });
}

function read(view: ViewOutput, field: Field): string {
  const state = view.state.values[field]?.[field];
  return state?.selected_option?.value ?? state?.value ?? '';
}

function fieldOf(error: MedicError): Field {
  if (error.code === 'unknown_server') return 'server';
  if (error.code.startsWith('reason_')) return 'reason';
  const isParam = error.fields.some(({ path }) => path.startsWith('params')) || /param|pair|quote/.test(error.code);
  return isParam ? 'params' : 'playbook';
}
