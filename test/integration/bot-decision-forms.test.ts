import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RiskLevel } from '../../domain/policy.ts';
import { enrollTotp } from '../../services/totp/enroll-totp.ts';
import { makeTotpCode } from '../../services/totp/totp-code.ts';
import type { StoredView } from '../../sandbox/slack/workspace.ts';
import { requestOn } from './bot-home-steps.ts';
import type { BotStage } from './bot-stage.ts';
import { buttonsOf, CHANNEL, firstBlockId, openBotStage, waitForAnswer, waitForCard } from './bot-stage.ts';

let stage: BotStage;
let risks: BotStage['plane']['config']['playbooks'];
beforeAll(async () => {
  const names = ['ana', 'bob', 'cid', 'root'];
  const people = names.map((name) => ({ id: `U0${name.toUpperCase()}`, name, real_name: name }));
  stage = await openBotStage({ workspace: { people } });
  const { principals } = stage.plane.config;
  const root = { name: 'root', roles: ['admin' as const], slackUserId: 'U0ROOT', groups: [] };
  stage.plane.config.principals = new Map([...principals, ['root', root]]);
  await stage.startBot();
});
afterAll(() => stage.stop());
beforeEach(() => {
  risks = stage.plane.config.playbooks;
});
afterEach(() => {
  stage.plane.config.playbooks = risks;
});

function setRisk(risk: RiskLevel): void {
  const playbook = stage.plane.config.playbooks.get('restart-service');
  if (playbook === undefined) throw new Error('restart-service is not shipped');
  stage.plane.config.playbooks = new Map([...stage.plane.config.playbooks, ['restart-service', { ...playbook, risk }]]);
}

const choose = (user: string, ts: string, selected: string) =>
  stage.slack.click({ user, channel: CHANNEL, ts, actionId: 'medic_more', selected });

async function openFormOf(user: string, click: () => Promise<unknown>): Promise<StoredView> {
  const known = new Set(stage.slack.openViews(user).map(({ id }) => id));
  await click();
  return stage.slack.waitFor((slack) => slack.openViews(user).find(({ id }) => !known.has(id)), {
    what: `a form for ${user}`,
  });
}

const approve = (user: string, ts: string): Promise<StoredView> =>
  openFormOf(user, () => stage.slack.click({ user, channel: CHANNEL, ts, actionId: 'medic_approve' }));

const submit = (user: string, view: StoredView, fields: Record<string, string>) => {
  const entries = Object.entries(fields).map(
    ([name, value]) => [name, { [name]: { type: 'plain_text_input', value } }] as const,
  );
  return stage.slack.submitView({ user, viewId: view.id, values: Object.fromEntries(entries) });
};

const fieldsOf = (view: StoredView): unknown[] =>
  view.blocks.filter(({ type }) => type === 'input').map((block) => block['block_id']);

describe('an approval', () => {
  test('at high risk asks for the name of the server and a reason, and tells what is wrong at its field', async () => {
    setRisk('high');
    const { server, ts } = await requestOn(stage, { by: 'U0ANA' });
    const view = await approve('U0BOB', ts);
    expect(view.callback_id).toBe('medic_confirm');
    expect(fieldsOf(view)).toEqual(['confirm_server', 'reason']);
    const wrong = await submit('U0BOB', view, { confirm_server: 'another', reason: 'it hangs' });
    expect(wrong.body).toMatchObject({
      response_action: 'errors',
      errors: { confirm_server: expect.stringMatching(/not the name of the server/) },
    });
    await waitForCard(stage.slack, server.name, 'pending');
    await submit('U0BOB', view, { confirm_server: server.name, reason: 'it hangs' });
    const card = await waitForCard(stage.slack, server.name, 'approved');
    expect(JSON.stringify(card.blocks)).toContain('it hangs');
    await waitForAnswer(stage.slack, 'U0BOB', new RegExp(`You approved.*${server.name}`));
  });

  test('at critical risk takes a one-time code, each good once', async () => {
    setRisk('critical');
    const root = stage.plane.asker('root');
    const { secret } = await enrollTotp(stage.plane.ctx, root, { principal: 'cid', isReplacing: true });
    const first = await requestOn(stage, { by: 'U0ANA' });
    const second = await requestOn(stage, { by: 'U0ANA' });
    const code = makeTotpCode({ secret, nowMs: Date.now() });
    const view = await approve('U0CID', first.ts);
    expect(fieldsOf(view)).toEqual(['confirm_server', 'reason', 'totp']);
    const fields = { confirm_server: first.server.name, reason: 'now' };
    const guessed = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
    const wrong = await submit('U0CID', view, { ...fields, totp: guessed });
    expect(wrong.body).toMatchObject({ errors: { totp: expect.stringMatching(/not good now/) } });
    await submit('U0CID', view, { ...fields, totp: `${code.slice(0, 3)} ${code.slice(3)}` });
    await waitForCard(stage.slack, first.server.name, 'approved');
    const again = await approve('U0CID', second.ts);
    const reused = await submit('U0CID', again, { ...fields, confirm_server: second.server.name, totp: code });
    expect(reused.body).toMatchObject({ errors: { totp: expect.stringMatching(/used before/) } });
    await waitForCard(stage.slack, second.server.name, 'pending');
  });

  test('may carry a comment, from the menu of the card', async () => {
    const { server, actionId, ts } = await requestOn(stage, { by: 'U0ANA' });
    const view = await openFormOf('U0BOB', () => choose('U0BOB', ts, `approve_comment:${actionId}`));
    expect(view.callback_id).toBe('medic_approve_comment');
    await submit('U0BOB', view, { reason: 'after the sale' });
    const card = await waitForCard(stage.slack, server.name, 'approved');
    expect(JSON.stringify(card.blocks)).toContain('“after the sale”');
  });

  test('typed as a command opens the same form where the risk asks for more', async () => {
    setRisk('high');
    const { actionId } = await requestOn(stage, { by: 'U0ANA' });
    const text = `approve ${actionId.slice(0, 8)}`;
    const view = await openFormOf('U0BOB', () =>
      stage.slack.slashCommand({ user: 'U0BOB', channel: CHANNEL, command: '/remediate', text }),
    );
    expect(view.callback_id).toBe('medic_confirm');
  });

  test('of a playbook that changed since ends the action, and says to ask again', async () => {
    const { server, ts } = await requestOn(stage, { by: 'U0ANA' });
    const { playbooks } = stage.plane.config;
    const playbook = playbooks.get('restart-service');
    if (playbook === undefined) throw new Error('restart-service is not shipped');
    const changed = { ...playbook, digest: `sha256:${'f'.repeat(64)}` };
    stage.plane.config.playbooks = new Map([...playbooks, ['restart-service', changed]]);
    await stage.slack.click({ user: 'U0BOB', channel: CHANNEL, ts, actionId: 'medic_approve' });
    await waitForAnswer(stage.slack, 'U0BOB', /is another one.*ask again/);
    const card = await waitForCard(stage.slack, server.name, 'cancelled');
    expect(buttonsOf(card)).toEqual(['medic_details', 'medic_ask_again']);
    const again = await openFormOf('U0BOB', () =>
      stage.slack.click({ user: 'U0BOB', channel: CHANNEL, ts, actionId: 'medic_ask_again' }),
    );
    expect(again.callback_id).toBe('medic_request');
    await stage.slack.waitFor((slack) => JSON.stringify(slack.openViews('U0BOB')).includes(server.name), {
      what: 'the form to be filled in',
    });
  });
});

describe('the menu of a card', () => {
  test('tells who may decide, and why', async () => {
    const { actionId, ts } = await requestOn(stage, { by: 'U0ANA' });
    await choose('U0ANA', ts, `why:${actionId}`);
    await waitForAnswer(
      stage.slack,
      'U0ANA',
      /must approve[^]*May approve now: bob, cid, root[^]*ana does not have the role/,
    );
  });

  test('lets an admin break the glass, which is told in the channel; nobody else', async () => {
    const { rules } = stage.plane.config;
    stage.plane.config.rules = [{ ...(rules[0] as (typeof rules)[number]), when: {}, approvals: 2, from: ['sre'] }];
    const { server, actionId, ts } = await requestOn(stage, { by: 'U0ANA' });
    stage.plane.config.rules = rules;
    await choose('U0BOB', ts, `break_glass:${actionId}`);
    await waitForAnswer(stage.slack, 'U0BOB', /admin/);
    const view = await openFormOf('U0ROOT', () => choose('U0ROOT', ts, `break_glass:${actionId}`));
    await submit('U0ROOT', view, { reason: 'nobody is awake' });
    const card = await waitForCard(stage.slack, server.name, 'approved');
    expect(JSON.stringify(card.blocks)).toMatch(/break glass\) by.*root/);
    const notice = await stage.slack.waitFor(
      (slack) => slack.messages(CHANNEL).find((one) => firstBlockId(one) === 'medic_break_glass_notice'),
      { what: 'the notice', timeoutMs: 15_000 },
    );
    expect(notice.text).toMatch(/root used break glass/);
    expect(JSON.stringify(notice.blocks)).toContain('nobody is awake');
  });

  test('of one action does nothing to another', async () => {
    const one = await requestOn(stage, { by: 'U0ANA' });
    const other = await requestOn(stage, { by: 'U0ANA' });
    const option = { text: { type: 'plain_text', text: 'x' }, value: `why:${other.actionId}` };
    await stage.slack.click({
      user: 'U0BOB',
      channel: CHANNEL,
      ts: one.ts,
      actionId: 'medic_more',
      selected: { selected_option: option },
    });
    await waitForAnswer(stage.slack, 'U0BOB', /does not belong to the message/);
  });
});

test('a form that was opened for somebody else decides nothing', async () => {
  const { server, ts } = await requestOn(stage, { by: 'U0ANA' });
  const view = await openFormOf('U0CID', () =>
    stage.slack.click({ user: 'U0CID', channel: CHANNEL, ts, actionId: 'medic_reject' }),
  );
  const values = { reason: { reason: { type: 'plain_text_input', value: 'no' } } };
  await stage.slack.deliver({
    kind: 'interactive',
    payload: {
      type: 'view_submission',
      user: { id: 'U0BOB', team_id: stage.slack.teamId },
      team: { id: stage.slack.teamId },
      api_app_id: 'A0MEDIC',
      view: { ...view, state: { values } },
    },
  });
  await waitForAnswer(stage.slack, 'U0BOB', /was not opened for you/);
  await waitForCard(stage.slack, server.name, 'pending');
});
