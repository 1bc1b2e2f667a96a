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
import { createHeldBackNews } from '../../bot/blocks/held-back.ts';
import { createJournalNews } from '../../bot/blocks/journal-damage.ts';
import {
  createHistory,
  createPendingList,
  createQueueList,
  createReplayList,
  createServerList,
} from '../../bot/blocks/lists.ts';
import { createNotice } from '../../bot/blocks/notice.ts';
import { createOutcome } from '../../bot/blocks/outcome.ts';
import { createOutput } from '../../bot/blocks/output.ts';
import { createWhy } from '../../bot/blocks/why.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { QueueView } from '../../services/queue/read-queue.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import { expectFine, expectFineHome, expectFineView } from './expect-fine.ts';
import type { HaltView } from '../../services/halts/halt-view.ts';
import { action, batch, halt, queue, server, text } from './generated-views.ts';

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
  expectFine(createHeldBackNews(view, 10));
  expectFine(createJournalNews({ server: view.server, foundAt: view.requestedAt, lines: names.length }));
  const couldNot = names.map((name) => ({ name, sentence: name }));
  for (const end of [null, view.approvalRule]) {
    expectFine(
      createWhy({
        action: view,
        rule: view.approvalRule,
        end,
        waits: null,
        may: [...names],
        has: view.approvals,
        couldNot,
      }),
    );
  }
}

/** As many lists, batches and Homes, of many actions and servers each. */
export function checkLists(count: number): void {
  const lists = fc.record({
    actions: fc.array(action, { maxLength: 25 }),
    servers: fc.array(server, { maxLength: 25 }),
    halts: fc.array(halt, { maxLength: 5 }),
    queue,
    sentence: text,
  });
  fc.assert(fc.property(lists, batch, checkList), { numRuns: count });
}

interface Lists {
  actions: ActionView[];
  servers: ServerView[];
  halts: HaltView[];
  queue: QueueView;
  sentence: string;
}

function checkList(lists: Lists, many: Parameters<typeof createBatchCard>[0]): void {
  const { actions, servers, halts, sentence } = lists;
  expectFine(createPendingList(actions));
  expectFine(createQueueList(lists.queue));
  expectFine(createReplayList(actions.map(({ id, replayOf }) => ({ id, replayedAs: replayOf, sentence }))));
  expectFine(createHistory(actions, sentence));
  expectFine(createServerList(servers));
  expectFine(
    createAnswer(
      sentence,
      actions.map(({ reason }) => reason ?? ''),
    ),
  );
  const theirs = { waiting: actions, waitingCount: actions.length, asked: actions, failed: actions };
  expectFineHome({ ...theirs, paused: servers, halts });
  expectFine(createBatchCard(many));
  expectFine(createBatchNotice({ batch: many, actions: many.actions, entryId: 1 }));
  expectFine(createBatchAnswer('approve', { applied: 1, recorded: 0, others: new Map([[sentence, 2]]) }));
  expectFineView(createBatchRejectForm({ batch: many, count: many.actions.length, metadata: 'sealed' }));
  expectFineView(createSelectionForm({ batch: many, metadata: 'sealed' }));
}
