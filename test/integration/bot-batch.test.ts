import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredMessage } from '../../sandbox/slack/workspace.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { decideAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { BotStage } from './bot-stage.ts';
import {
  addServer,
  buttonsOf,
  cardsOf,
  CHANNEL,
  firstBlockId,
  noticesOf,
  openBotStage,
  waitForAnswer,
  waitUntilSettled,
} from './bot-stage.ts';

let stage: BotStage;
let server: string;

beforeEach(async () => {
  stage = await openBotStage();
  server = (await addServer(stage, true)).name;
});
afterEach(() => stage.stop());

const BUTTONS = ['medic_batch_approve', 'medic_batch_select', 'medic_batch_reject'];

const batchesIn = (): StoredMessage[] =>
  stage.slack.messages(CHANNEL).filter((message) => firstBlockId(message) === 'medic_batch');

const payloadOf = (message: StoredMessage) =>
  (message.metadata as { event_payload: { batch_id: string; action_ids: string[] } }).event_payload;

function ask(input: { who?: string; playbook?: string; reason?: string; service?: string } = {}): Promise<ActionView> {
  const { who = 'ana', playbook = 'restart-service', reason, service = 'nginx' } = input;
  const params = playbook === 'clear-logs' ? { path: '/var/log/app' } : { service };
  return requestAction(stage.plane.ctx, stage.plane.asker(who), { server, playbook, params, reason });
}

async function askFor(count: number, input: Parameters<typeof ask>[0] = {}): Promise<ActionView[]> {
  const asked: ActionView[] = [];
  for (let index = 0; index < count; index++) asked.push(await ask(input));
  return asked;
}

/** The card of the batch once it lists so many. */
const waitForBatch = (size: number): Promise<StoredMessage> =>
  stage.slack.waitFor(() => batchesIn().find((card) => payloadOf(card).action_ids.length === size), {
    timeoutMs: 15_000,
    what: `a batch of ${size}`,
  });

const waitForWords = (pattern: RegExp): Promise<StoredMessage> =>
  stage.slack.waitFor(() => batchesIn().find(({ text }) => pattern.test(text)), {
    timeoutMs: 15_000,
    what: `a batch that says ${String(pattern)}`,
  });

const rowsOf = async (ids: readonly string[]) => {
  const { rows } = await stage.plane.ctx.database.pool.query<{ id: string; status: string; by: string | null }>(
    'select id, status, coalesce(approved_by, rejected_by) as by from actions where id = any($1) order by requested_at, id',
    [ids],
  );
  return rows;
};

async function countDecisions(ids: readonly string[]): Promise<number> {
  const { pool } = stage.plane.ctx.database;
  return (await pool.query('select 1 from decisions where action_id = any($1)', [ids])).rows.length;
}

const countEvents = async (event: string, ids: readonly string[]): Promise<number> => {
  const { rows } = await stage.plane.ctx.database.pool.query<{ count: number }>(
    'select count(*)::int as count from audit_events where event = $1 and subject_id = any($2)',
    [event, ids],
  );
  return rows[0]?.count ?? 0;
};

describe('many requests of one playbook', () => {
  test('become one card from the fifth on; those before keep theirs', async () => {
    await stage.startBot();
    const asked = await askFor(7);
    const card = await waitForBatch(3);
    await waitUntilSettled(stage);
    expect(cardsOf(stage.slack)).toHaveLength(4);
    expect(payloadOf(card).action_ids).toEqual(asked.slice(4).map(({ id }) => id));
    expect(buttonsOf(card)).toEqual(BUTTONS);
    expect(card.text).toBe('3 requests to run restart-service: 3 waiting for approval.');
    expect(JSON.stringify(card.blocks)).toContain('waiting for approval, server paused by ');
    const stored = await rowsOf(asked.map(({ id }) => id));
    expect(stored.map(({ status }) => status)).toEqual(Array(7).fill('pending'));
    expect(
      await countEvents(
        'action.requested',
        asked.map(({ id }) => id),
      ),
    ).toBe(7);
  });

  test('keep cards of their own where a line could not show them whole', async () => {
    await askFor(4);
    const long = await ask({ service: 'a'.repeat(64) });
    const short = await ask({ reason: 'it hangs' });
    await stage.startBot();
    const batch = await waitForBatch(1);
    expect(payloadOf(batch).action_ids).toEqual([short.id]);
    expect(JSON.stringify(batch.blocks)).toContain('service=nginx');
    expect(JSON.stringify(batch.blocks)).toContain('“it hangs”');
    await stage.slack.waitFor(
      () => cardsOf(stage.slack).find((card) => JSON.stringify(card.metadata).includes(long.id)),
      { timeoutMs: 15_000, what: 'a card of its own' },
    );
  });

  test('share a card of at most fifty, exactly, however many arrive in the same instant', async () => {
    await Promise.all(Array.from({ length: 60 }, () => ask()));
    const { rows } = await stage.plane.ctx.database.pool.query<{ size: number }>(
      'select count(*)::int as size from actions group by batch_id order by 1',
    );
    expect(rows.map(({ size }) => size)).toEqual([4, 6, 50]);
  });

  test('keep cards of their own where they are risky, need two people, or differ in their rule', async () => {
    const { config } = stage.plane;
    const unbatched = async (): Promise<number> => {
      await askFor(6);
      const { rows } = await stage.plane.ctx.database.pool.query('select 1 from actions where batch_id is not null');
      await stage.plane.ctx.database.pool.query(`update actions set requested_at = now() - interval '1 hour'`);
      return rows.length;
    };
    const rule = { ...(config.rules[1] ?? config.rules[0]), when: {}, from: null } as (typeof config.rules)[number];
    config.rules = [{ ...rule, approvals: 2 }];
    expect(await unbatched()).toBe(0);
    const plain = config.playbooks.get('restart-service');
    if (plain === undefined) throw new Error('no playbook');
    config.rules = [{ ...rule, approvals: 1 }];
    for (const risk of ['high', 'critical'] as const) {
      config.playbooks = new Map([...config.playbooks, ['restart-service', { ...plain, risk }]]);
      expect(await unbatched()).toBe(0);
    }
    config.playbooks = new Map([...config.playbooks, ['restart-service', plain]]);
    await askFor(4);
    config.rules = [{ ...rule, approvals: 0 }];
    expect((await ask()).slackPermalink).toBeNull();
    expect(await unbatched()).toBe(3); // seven, with the one above
  });
});

describe('the card of a batch', () => {
  const click = (
    card: StoredMessage,
    input: { user?: string; button?: string; value?: string; triggerId?: string },
  ) => {
    const { user = 'U0BOB', button = 'medic_batch_approve', ...rest } = input;
    return stage.slack.click({ user, channel: CHANNEL, ts: card.ts, actionId: button, ...rest });
  };

  test('approves all that were on it, each on its own record, and counts who came first', async () => {
    await stage.startBot();
    const asked = await askFor(9);
    const ids = asked.slice(4).map(({ id }) => id);
    const card = await waitForBatch(5);
    await decideAction(stage.plane.ctx, stage.plane.asker('cid'), { actionId: ids[0] ?? '', kind: 'approve' });
    expect(await click(card, {})).toMatchObject({ acknowledged: true });
    await waitForAnswer(stage.slack, 'U0BOB', /^4 approved, 1 already approved by cid\.$/);
    expect((await rowsOf(ids)).map(({ by }) => by)).toEqual(['cid', 'bob', 'bob', 'bob', 'bob']);
    expect(await countEvents('action.approved', ids)).toBe(5);
    const decided = await waitForWords(/5 approved and waiting/);
    expect(buttonsOf(decided)).toEqual([]);
    expect(JSON.stringify(decided.blocks)).toMatch(/approved, behind restart-service \([0-9a-f]{8}\), 4 in all/);
  });

  test('approves a selection, and the rest goes on waiting', async () => {
    await stage.startBot();
    const ids = (await askFor(8)).slice(4).map(({ id }) => id);
    const card = await waitForBatch(4);
    await click(card, { button: 'medic_batch_select' });
    const view = await stage.slack.waitFor((slack) => slack.openViews('U0BOB')[0], { what: 'the form' });
    const submit = (chosen: string[]) => {
      const options = chosen.map((value) => ({ value }));
      const values = { selection_0: { selection_0: { type: 'checkboxes', selected_options: options } } };
      return stage.slack.submitView({ user: 'U0BOB', viewId: view.id, values });
    };
    expect((await submit([])).body).toMatchObject({ errors: { selection_0: expect.stringContaining('at least one') } });
    await submit([ids[1] ?? '', ids[2] ?? '']);
    expect(await countDecisions(ids)).toBe(2); // Slack heard of it when they were stored
    await waitForAnswer(stage.slack, 'U0BOB', /^2 approved\.$/);
    expect((await rowsOf(ids)).map(({ status }) => status)).toEqual(['pending', 'approved', 'approved', 'pending']);
    expect(buttonsOf(await waitForWords(/2 waiting for approval, 2 approved/))).toEqual(BUTTONS);
  });

  test('rejects all, with one reason for each of them', async () => {
    await stage.startBot();
    const ids = (await askFor(7)).slice(4).map(({ id }) => id);
    const card = await waitForBatch(3);
    await click(card, { button: 'medic_batch_reject' });
    const view = await stage.slack.waitFor((slack) => slack.openViews('U0BOB')[0], { what: 'the form' });
    const submit = (reason: string) => {
      const values = { reason: { reason: { type: 'plain_text_input', value: reason } } };
      return stage.slack.submitView({ user: 'U0BOB', viewId: view.id, values });
    };
    expect((await submit('  ')).body).toMatchObject({ errors: { reason: expect.stringContaining('needs a reason') } });
    await submit('one cause, not three');
    expect(await countDecisions(ids)).toBe(3);
    await waitForAnswer(stage.slack, 'U0BOB', /^3 rejected\.$/);
    expect((await rowsOf(ids)).map(({ status, by }) => [status, by])).toEqual(Array(3).fill(['rejected', 'bob']));
    expect(await countEvents('action.rejected', ids)).toBe(3);
    await waitForWords(/3 rejected/);
  });

  test('refuses who may not with one answer and one refusal, and a value that is not its own', async () => {
    await stage.startBot();
    const ids = (await askFor(7)).slice(4).map(({ id }) => id);
    const card = await waitForBatch(3);
    await click(card, { user: 'U0ANA' });
    await waitForAnswer(stage.slack, 'U0ANA', /role approver|yourself/);
    expect(await countEvents('decision.refused', ids)).toBe(1);
    for (const [index, button] of ['medic_batch_select', 'medic_batch_reject'].entries()) {
      await click(card, { user: 'U0ANA', button });
      const isTold = (): boolean => stage.slack.ephemerals('U0ANA').length === index + 2;
      await stage.slack.waitFor(isTold, { what: `an answer to ${button}` });
      expect(stage.slack.ephemerals('U0ANA').at(-1)?.text).toMatch(/role approver/);
      expect(stage.slack.openViews('U0ANA')).toEqual([]);
      expect(await countEvents('decision.refused', ids)).toBe(index + 2);
    }
    await click(card, { user: 'U0EVE' });
    await waitForAnswer(stage.slack, 'U0EVE', /does not know you/);
    await click(card, { value: ids[0] ?? '' });
    await waitForAnswer(stage.slack, 'U0BOB', /does not belong to the message/);
    expect((await rowsOf(ids)).map(({ status }) => status)).toEqual(Array(3).fill('pending'));
  });

  test('leaves an approver their own requests', async () => {
    await stage.startBot();
    const own = await askFor(5, { who: 'bob' });
    const others = await askFor(2);
    const card = await waitForBatch(3);
    await click(card, {});
    await waitForAnswer(stage.slack, 'U0BOB', /^2 approved, 1 asked for by you, so somebody else must decide\.$/);
    const ids = [own[4]?.id ?? '', ...others.map(({ id }) => id)];
    expect((await rowsOf(ids)).map(({ status }) => status)).toEqual(['pending', 'approved', 'approved']);
  });

  test('decides once where the same click is delivered five times to two bots', async () => {
    await stage.startBot();
    await stage.startBot();
    const ids = (await askFor(7)).slice(4).map(({ id }) => id);
    const card = await waitForBatch(3);
    await Promise.all([1, 2, 3, 4, 5].map(() => click(card, { triggerId: '1.2.same' })));
    const told = await stage.slack.waitFor(() => {
      const answers = stage.slack.ephemerals('U0BOB').map(({ text }) => text);
      return answers.length === 5 && answers;
    });
    expect(told).toEqual(Array(5).fill('3 approved.'));
    expect(await countEvents('action.approved', ids)).toBe(3);
  });

  test('is posted once where its answer was lost, and tells of many ends in one notice', async () => {
    stage.plane.config.approvalTimeoutMs = 4_000;
    await askFor(4);
    await stage.startBot();
    await stage.slack.waitFor((slack) => cardsOf(slack).length === 4, { timeoutMs: 10_000 });
    stage.slack.faults.dropAnswer('chat.postMessage', 1);
    const ids = (await askFor(7)).map(({ id }) => id);
    await waitForWords(/7 expired/);
    await waitUntilSettled(stage);
    expect(batchesIn()).toHaveLength(1);
    expect(noticesOf(stage.slack)).toHaveLength(4);
    const merged = stage.slack.messages(CHANNEL).filter((message) => firstBlockId(message) === 'medic_batch_notice');
    expect(merged.flatMap((message) => payloadOf(message).action_ids).toSorted()).toEqual(ids.toSorted());
    expect(merged).toHaveLength(1);
    expect(merged[0]?.text).toBe('7 of 7 actions of restart-service did not succeed: 7 expired.');
  });
});
