import { ConflictError } from '../../../domain/errors.ts';
import { checkBatchDecision, decideBatch } from '../../../services/actions/decide-batch.ts';
import type { BatchView } from '../../../services/slack/batches.ts';
import { readBatch } from '../../../services/slack/batches.ts';
import { createBatchAnswer } from '../../blocks/batch-answer.ts';
import { isWaiting } from '../../blocks/batch-rows.ts';
import { createBatchRejectForm, createSelectionForm } from '../../blocks/batch-forms.ts';
import { BATCH_FORMS } from '../../blocks/names.ts';
import { createDecisionId } from '../../decision-id.ts';
import { sealForm } from '../../seal.ts';
import type { BatchClick, BatchClickListener } from './batch-click.ts';
import { openView } from '../../open-view.ts';

/** Each that was on the card when it was clicked. What came later was not seen, and is left. */
export const approveAllClicked: BatchClickListener = async (click) => {
  const { deps, asker, userId, batchId, actionIds, triggerId } = click;
  const decisionIdOf = (actionId: string) => createDecisionId({ triggerId, userId, kind: 'approve', actionId });
  const outcome = await decideBatch(deps.ctx, asker, { batchId, actionIds, kind: 'approve', decisionIdOf });
  return createBatchAnswer('approve', outcome);
};

export const selectClicked: BatchClickListener = async (click) => {
  const { deps, userId, batchId, channel, triggerId } = click;
  const { batch } = await readDecidable(click, 'approve');
  const data = { batch_id: batchId, channel };
  const metadata = sealForm(deps, { callbackId: BATCH_FORMS.selection, userId, data });
  await openView(deps, { triggerId, view: createSelectionForm({ batch, metadata }) });
  return null;
};

/** The form knows how many there were; which of them still wait is read when it comes back. */
export const rejectAllClicked: BatchClickListener = async (click) => {
  const { deps, userId, batchId, channel, triggerId } = click;
  const { batch, waiting } = await readDecidable(click, 'reject');
  const data = { batch_id: batchId, channel, until: lastOf(batch, waiting) };
  const metadata = sealForm(deps, { callbackId: BATCH_FORMS.rejectReason, userId, data });
  const view = createBatchRejectForm({ batch, count: waiting.length, metadata });
  await openView(deps, { triggerId, view });
  return null;
};

/** Those that were seen come first in the batch: the newest of them tells which they were, in a few characters. */
function lastOf(batch: BatchView, seen: readonly string[]): string {
  return batch.actions.findLast(({ id }) => seen.includes(id))?.id ?? '';
}

/** For a form that is to be opened. Throws where nothing of it waits, and to who may not decide it. */
async function readDecidable(
  { deps, asker, batchId, actionIds }: BatchClick,
  kind: 'approve' | 'reject',
): Promise<{ batch: BatchView; waiting: string[] }> {
  const batch = await readBatch(deps.ctx, batchId);
  const seen = new Set(actionIds);
  const waiting = (batch?.actions ?? []).filter((action) => isWaiting(action) && seen.has(action.id));
  if (batch === null || waiting.length === 0) {
    throw new ConflictError('None of these waits for a decision any more, so nothing was done.', {
      code: 'already_decided',
    });
  }
  await checkBatchDecision(deps.ctx, asker, { actions: waiting, kind });
  return { batch, waiting: waiting.map(({ id }) => id) };
}
