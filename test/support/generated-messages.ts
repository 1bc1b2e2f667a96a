import fc from 'fast-check';
import { createAnswer } from '../../bot/blocks/answer.ts';
import { createBatchAnswer } from '../../bot/blocks/batch-answer.ts';
import { createBatchCard } from '../../bot/blocks/batch-card.ts';
import { createBatchRejectForm, createSelectionForm } from '../../bot/blocks/batch-forms.ts';
import { createBatchNotice } from '../../bot/blocks/batch-notice.ts';
import { createCard, createClosedDuplicate } from '../../bot/blocks/card.ts';
import {
  createApproveCommentForm,
  createBreakGlassForm,
  createConfirmForm,
  createRejectForm,
} from '../../bot/blocks/decision-forms.ts';
import { createDetails, createDetailsView } from '../../bot/blocks/details.ts';
import { createHistory, createPendingList, createServerList } from '../../bot/blocks/lists.ts';
import { createNotice } from '../../bot/blocks/notice.ts';
import { createOutcome } from '../../bot/blocks/outcome.ts';
import { createOutput } from '../../bot/blocks/output.ts';
import { createWhy } from '../../bot/blocks/why.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import { expectFine, expectFineHome, expectFineView } from './expect-fine.ts';
import { action, batch, server, text } from './generated-views.ts';

/** As many actions, with hostile names, reasons and output, through every builder of what Slack is sent about one. */
export function checkActions(count: number): void {
  fc.assert(
    fc.property(action, fc.array(text, { maxLength: 4 }), (view, names) => {
      checkMessages(view, names);
      const form = { action: view, privateMetadata: 'sealed' };
      expectFineView(createRejectForm(form));
      expectFineView(createApproveCommentForm(form));
      expectFineView(createConfirmForm(form));
      expectFineView(createBreakGlassForm(form));
      expectFineView(createDetailsView(view));
    }),
    { numRuns: count },
  );
}

function checkMessages(view: ActionView, names: readonly string[]): void {
  expectFine(createCard(view));
  expectFine(createClosedDuplicate(view));
  expectFine(createDetails(view));
  expectFine(createOutput(view));
  expectFine(createOutcome(view));
  expectFine(createNotice(view));
  expectFine(createNotice(view, 'break_glass'));
  const couldNot = names.map((name) => ({ name, sentence: name }));
  for (const end of [null, view.approvalRule]) {
    expectFine(
      createWhy({ action: view, rule: view.approvalRule, end, may: [...names], has: view.approvals, couldNot }),
    );
  }
}

/** As many lists, batches and Homes, of many actions and servers each. */
export function checkLists(count: number): void {
  const lists = fc.record({
    actions: fc.array(action, { maxLength: 25 }),
    servers: fc.array(server, { maxLength: 25 }),
    sentence: text,
  });
  fc.assert(fc.property(lists, batch, checkList), { numRuns: count });
}

function checkList(
  { actions, servers, sentence }: { actions: ActionView[]; servers: ServerView[]; sentence: string },
  many: Parameters<typeof createBatchCard>[0],
): void {
  expectFine(createPendingList(actions));
  expectFine(createHistory(actions, sentence));
  expectFine(createServerList(servers));
  expectFine(
    createAnswer(
      sentence,
      actions.map(({ reason }) => reason ?? ''),
    ),
  );
  expectFineHome({ waiting: actions, asked: actions, failed: actions, paused: servers });
  expectFine(createBatchCard(many));
  expectFine(createBatchNotice({ batch: many, actions: many.actions, entryId: 1 }));
  expectFine(createBatchAnswer('approve', { applied: 1, recorded: 0, others: new Map([[sentence, 2]]) }));
  expectFineView(createBatchRejectForm({ batch: many, count: many.actions.length, metadata: 'sealed' }));
  expectFineView(createSelectionForm({ batch: many, metadata: 'sealed' }));
}
