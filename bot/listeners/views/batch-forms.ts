import type { App, SlackViewAction, ViewOutput } from '@slack/bolt';
import type { BatchOutcome } from '../../../services/actions/decide-batch.ts';
import { decideBatch } from '../../../services/actions/decide-batch.ts';
import { readBatch } from '../../../services/slack/batches.ts';
import { createBatchAnswer } from '../../blocks/batch-answer.ts';
import { SELECTION } from '../../blocks/batch-forms.ts';
import type { Message } from '../../blocks/message.ts';
import { BATCH_FORMS } from '../../blocks/names.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { BotDeps } from '../../deps.ts';
import { callerOf, identify } from '../../identify.ts';
import { openSeal } from '../../seal.ts';
import { answer } from '../../tell.ts';
import { recordFirst } from '../record-first.ts';
import { readField } from './decision-form.ts';

const REASON = 'reason';

/** A form is closed when its decisions are recorded; what came of them is told where the button stood, privately. */
export function listenToBatchForms(app: App, deps: BotDeps): void {
  app.view({ type: 'view_submission', callback_id: BATCH_FORMS.selection }, async ({ ack, body, view }) => {
    const chosen = readChosen(view);
    if (chosen.length === 0) {
      await ack({ response_action: 'errors', errors: { [`${SELECTION}0`]: 'Tick at least one, or close the form.' } });
      return;
    }
    await decide(deps, { ack, body, view, kind: 'approve', choose: () => chosen });
  });
  app.view({ type: 'view_submission', callback_id: BATCH_FORMS.rejectReason }, async ({ ack, body, view }) => {
    const reason = readField(view, REASON);
    if (reason === '') {
      await ack({ response_action: 'errors', errors: { [REASON]: 'A rejection needs a reason.' } });
      return;
    }
    await decide(deps, { ack, body, view, kind: 'reject', reason, choose: ({ ids, until }) => upTo(ids, until) });
  });
}

interface Submission {
  ack(): Promise<void>;
  body: SlackViewAction;
  view: ViewOutput;
  kind: 'approve' | 'reject';
  reason?: string;
  /** Of those that wait, oldest first, with the newest that the person saw. */
  choose(seen: { ids: string[]; until: string }): string[];
}

async function decide(deps: BotDeps, submission: Submission): Promise<void> {
  const { ack, body, view, kind } = submission;
  const userId = body.user.id;
  const place = { channel: deps.channel, userId };
  const work = async (): Promise<Message> => {
    const asker = await identify(deps, callerOf(body), { tried: view.callback_id });
    const form = { callbackId: view.callback_id, userId, metadata: view.private_metadata, tried: view.callback_id };
    const context = readContext(await openSeal(deps, form));
    place.channel = context.channel || deps.channel;
    const batch = await readBatch(deps.ctx, context.batchId);
    const ids = (batch?.actions ?? []).map(({ id }) => id);
    const outcome: BatchOutcome = await decideBatch(deps.ctx, asker, {
      batchId: context.batchId,
      actionIds: submission.choose({ ids, until: context.until }),
      kind,
      reason: submission.reason,
      decisionIdOf: (actionId) => createDecisionId({ triggerId: view.id, userId, kind, actionId }),
    });
    return createBatchAnswer(kind, outcome);
  };
  await answer(deps, place, () => recordFirst({ ack, log: deps.log }, work));
}

function upTo(ids: readonly string[], last: string): string[] {
  return ids.slice(0, ids.indexOf(last) + 1);
}

function readChosen(view: ViewOutput): string[] {
  return Object.entries(view.state.values)
    .filter(([block]) => block.startsWith(SELECTION))
    .flatMap(([, fields]) => Object.values(fields))
    .flatMap(({ selected_options: options }) => (options ?? []).map(({ value }) => value));
}

function readContext(data: unknown): { batchId: string; channel: string; until: string } {
  const value = (data ?? {}) as Record<string, unknown>;
  const read = (key: string): string => (typeof value[key] === 'string' ? value[key] : '');
  return { batchId: read('batch_id'), channel: read('channel'), until: read('until') };
}
