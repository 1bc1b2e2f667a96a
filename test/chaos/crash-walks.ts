import type { DurableStep } from '../../domain/durable-step.ts';
import { poll } from '../support/poll.ts';
import { AGENT_WALKS, COMMAND_WALKS } from './agent-walks.ts';
import { API_WALKS, auditWalk } from './api-walks.ts';
import type { ActionJson } from '../support/process-stack.ts';
import type { CrashStage } from './crash-stage.ts';
import { both, CHANNEL, PATIENCE_MS } from './crash-stage.ts';
import type { Walk } from './walk.ts';
import { askForWaiting, refusedAs } from './walk.ts';

const workerWalk: Walk = async (stage) => {
  const ask = (): Promise<unknown> => stage.request({ server: 'web-6', playbook: 'quick-repair' });
  for (const step of ['action.approve_automatically', 'action.mark_executing', 'action.adopt_result'] as const) {
    for (const point of both(step)) await stage.die('worker', point, ask);
  }
  for (const point of both('decision.apply')) {
    await stage.die('worker', point, async () => {
      await stage.decide({ id: await askForWaiting(stage), by: 'bob', kind: 'approve', server: 'web-2' });
    });
  }
  await stage.stack.kill('worker 2'); // of two workers the other one may always be first
  for (const point of both('action.enforce_deadline')) {
    const askHastily = (): Promise<unknown> =>
      stage.request({ server: 'web-6', playbook: 'waiting-repair', part: 'api' }); // decided by nobody
    await stage.die('worker', point, askHastily);
  }
  for (const point of both('ladder.climb')) {
    const ids: string[] = [];
    const climb = async (): Promise<unknown> =>
      ids.push(await stage.request({ server: 'web-6', playbook: 'careful-repair' }));
    await stage.die('worker', point, climb);
    for (const id of ids) await stage.decide({ id, by: 'bob', kind: 'reject' });
  }
  for (const point of both('card.owe')) {
    await stage.die('worker', point, () => loseSight(stage));
    await stage.stack.restart('agent web-6');
  }
  await stage.stack.restart('worker 2');
};

/** An agent dies at work, and nothing is heard of it for an hour: the card says since when nobody knows. */
async function loseSight(stage: CrashStage): Promise<void> {
  const { stack } = stage;
  await stack.kill('agent web-6');
  await stack.restart('agent web-6');
  const id = await stage.request({ server: 'web-6', playbook: 'long-repair' });
  const question = { by: 'ana', method: 'GET', path: `/api/v1/actions/${id}` } as const;
  const isAtWork = async (): Promise<boolean> => ((await stage.ask(question)) as ActionJson).status === 'executing';
  await poll(`${id} to run`, isAtWork, { timeoutMs: PATIENCE_MS });
  await stack.kill('agent web-6');
  await stack.database.pool.query(`update servers set last_seen_at = now() - interval '1 hour' where name = 'web-6'`);
}

/**
 * Somebody approves what has just been rejected, and the API dies before it can hand that on: the one worker that is
 * there brings it to a workflow that is over by then.
 */
const settlingWalk: Walk = async (stage) => {
  const { stack } = stage;
  await stack.kill('worker 2');
  for (const point of both('decision.settle')) {
    await stack.kill('worker');
    const id = await askForWaiting(stage);
    await stage.decide({ id, by: 'bob', kind: 'reject' });
    stack.arm('api', 'workflow.decide:before');
    const approval = stage.decide({ id, by: 'cid', kind: 'approve', server: 'web-2', part: 'api' });
    const late = refusedAs(['already_ended'], approval);
    await stack.crashed('api', 'workflow.decide:before');
    await stage.dieAtStart('worker', point);
    await stage.revive('api', 'workflow.decide:before');
    await late;
  }
  await stack.restart('worker 2');
};

const botWalk: Walk = async (stage) => {
  const ask = (): Promise<unknown> => stage.request({ server: 'web-4', playbook: 'loud-repair' });
  const STEPS: DurableStep[] = [
    'outbox.lease',
    'card.save',
    'slack.post',
    'outbox.pace',
    'outbox.settle',
    'slack.update',
    'outbox.note_intent',
    'slack.upload',
  ];
  for (const point of STEPS.flatMap(both)) await stage.die('bot', point, ask);
  for (const point of both('card.owe')) await stage.die('bot', point, () => tidyCardUp(stage));
};

/** Somebody deletes the card of what still waits: its next change finds it gone. */
async function tidyCardUp(stage: CrashStage): Promise<void> {
  const id = await stage.request({ server: 'web-4', playbook: 'waiting-repair' });
  const isCard = ({ metadata }: { metadata?: unknown }): boolean => JSON.stringify(metadata ?? '').includes(id);
  const card = await stage.slack.waitFor((slack) => slack.messages(CHANNEL).find(isCard), { timeoutMs: PATIENCE_MS });
  await stage.deleteMessage(card.ts);
  await stage.decide({ id, by: 'bob', kind: 'reject' });
}

/** The same bot, after it: batches and Homes. */
const surfaceWalk: Walk = async (stage) => {
  const { slack } = stage;
  const ask = (): Promise<string> => stage.request({ server: 'web-4', playbook: 'batch-repair' });
  const findBatch = () =>
    slack.messages(CHANNEL).findLast(({ blocks }) => JSON.stringify(blocks ?? '').includes('medic_batch'));
  const tidyBatchUp = async (): Promise<void> => {
    await Promise.all([1, 2, 3, 4, 5].map(ask));
    const batch = await slack.waitFor(findBatch, { timeoutMs: PATIENCE_MS });
    await stage.deleteMessage(batch.ts);
    await ask();
  };
  for (const point of [...both('batch.save_card'), ...both('batch.owe_card')]) {
    await stage.die('bot', point, tidyBatchUp);
  }
  const openHome = async (): Promise<void> => {
    const isOpen = async (): Promise<boolean> => (await slack.openHome('U0ANA')).acknowledged;
    await poll('the bot to hear that a Home is opened', isOpen, { timeoutMs: PATIENCE_MS });
  };
  for (const step of ['slack.publish', 'home.open', 'home.save', 'home.claim'] as const) {
    for (const point of both(step)) await stage.die('bot', point, openHome);
  }
  for (const point of both('socket.report')) {
    await stage.die('bot', point, async () => {
      await slack.waitFor((workspace) => workspace.connections() > 0);
      slack.faults.disconnectSockets();
    });
  }
};

/** One kill at each point, and what they interrupted carried on; nothing is judged yet. */
export async function killAtEachPoint(stage: CrashStage): Promise<void> {
  const inOrder = async (...walks: readonly Walk[]): Promise<void> => {
    for (const walk of walks) await walk(stage);
  };
  await Promise.all([
    inOrder(...API_WALKS),
    inOrder(workerWalk),
    inOrder(botWalk, surfaceWalk),
    inOrder(...AGENT_WALKS),
    inOrder(...COMMAND_WALKS),
  ]);
  await stage.settled();
  for (const walk of [settlingWalk, auditWalk]) await walk(stage);
  await stage.settled();
}
