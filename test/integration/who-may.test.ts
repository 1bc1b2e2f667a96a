import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Principal } from '../../domain/principal.ts';
import { createSlackDirectory } from '../../bot/slack-directory.ts';
import type { SlackPerson } from '../../sandbox/slack/model.ts';
import { explainAction } from '../../services/actions/explain-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { TOKENS } from './bot-stage.ts';
import type { WhoMayStage } from './who-may-stage.ts';
import { openWhoMayStage, PAT } from './who-may-stage.ts';

const RUNS = 40; // each decides three times, through a bot, an API and a CLI: about half a second

let who: WhoMayStage;
beforeAll(async () => {
  who = await openWhoMayStage();
});
afterAll(() => who.stop());

const ana: Principal = { name: 'ana', roles: ['operator', 'approver'], groups: [], slackUserId: null };
const oth: Principal = { name: 'oth', roles: ['approver'], groups: ['locals', 'slackers'], slackUserId: 'U0OTH' };
const asPat = (): Principal => who.stage.plane.asker('pat').principal;
const MEMBER: Partial<SlackPerson> = {
  is_bot: false,
  deleted: false,
  is_restricted: false,
  is_ultra_restricted: false,
};

/** A plain member with the role, in a workspace with user groups, where every approver may. */
function reset(): void {
  const { plane, slack } = who.stage;
  plane.config.groups = new Map([
    ['locals', { slackUsergroup: null, members: [] }],
    ['slackers', { slackUsergroup: 'S0SLACKERS', members: [] }],
  ]);
  slack.changePerson(PAT, { ...MEMBER, team_id: slack.teamId });
  slack.setUsergroups([{ id: 'S0SLACKERS', handle: 'slackers', users: [] }]);
  who.setPeople({ roles: ['approver'], groups: [] }, [ana, oth]);
  who.setRule({});
}

async function statusOf(id: string): Promise<string> {
  return (await getAction(who.stage.plane.ctx, who.stage.plane.asker('root'), id)).status;
}

describe('who never may', () => {
  const change = (how: Partial<SlackPerson>) => (): void => who.stage.slack.changePerson(PAT, how);
  const CASES: Readonly<Record<string, { code: string; arrange(): void; isOwn?: boolean }>> = {
    'the requester': { code: 'own_request', arrange: () => undefined, isOwn: true },
    'an operator': {
      code: 'not_an_approver',
      arrange: () => who.setPeople({ roles: ['operator'], groups: [] }, [ana]),
    },
    'an automation': {
      code: 'not_an_approver',
      arrange: () => who.setPeople({ roles: ['automation'], groups: [] }, [ana]),
    },
    'a bot': { code: 'slack_person_refused', arrange: change({ is_bot: true }) },
    'a guest': { code: 'slack_person_refused', arrange: change({ is_restricted: true }) },
    'a guest of one channel': { code: 'slack_person_refused', arrange: change({ is_ultra_restricted: true }) },
    'somebody deactivated': { code: 'slack_person_refused', arrange: change({ deleted: true }) },
    'somebody of another workspace': { code: 'slack_person_refused', arrange: change({ team_id: 'T0ELSEWHERE' }) },
    'one Slack id of two principals': {
      code: 'slack_person_refused',
      arrange: () => who.setPeople({ roles: ['approver'], groups: [] }, [ana, { ...oth, slackUserId: PAT }]),
    },
    'somebody whom Slack does not know': {
      code: 'slack_person_refused',
      arrange: () => who.stage.slack.faults.refuseNext('users.info', 1, 'user_not_found'),
    },
    'somebody of whom Slack says nothing': {
      code: 'slack_lookup_failed',
      arrange: () => who.stage.slack.faults.refuseNext('users.info', 1, 'internal_error'),
    },
    'somebody outside the list': { code: 'not_in_group', arrange: () => who.setRule({ from: ['locals'] }) },
    'somebody outside the user group': { code: 'not_in_group', arrange: () => who.setRule({ from: ['slackers'] }) },
    'somebody on the list of a group that Slack holds': {
      code: 'not_in_group',
      arrange: () => {
        who.setPeople({ roles: ['approver'], groups: ['slackers'] }, [ana]);
        who.setRule({ from: ['slackers'] });
      },
    },
    'anyone, where Slack says nothing of the group': {
      code: 'group_lookup_failed',
      arrange: () => {
        who.setRule({ from: ['slackers'] });
        who.stage.slack.setUsergroups([{ id: 'S0SLACKERS', handle: 'slackers', users: [PAT] }]);
        who.stage.slack.faults.refuseNext('usergroups.users.list', 1, 'internal_error');
      },
    },
    'anyone, where the user group is not there': {
      code: 'group_lookup_failed',
      arrange: () => {
        who.setRule({ from: ['slackers'] });
        who.stage.slack.setUsergroups([]);
      },
    },
  };

  describe.each(Object.entries(CASES))('%s', (_name, { code, arrange, isOwn }) => {
    test.each(['slack', 'api', 'cli'] as const)('is refused through %s, with a trace and no effect', async (way) => {
      reset();
      arrange();
      const asked = await who.ask(isOwn === true ? asPat() : ana);
      for (const kind of ['approve', 'reject'] as const) {
        reset();
        arrange();
        expect(await who.ways[way]({ actionId: asked.id, kind })).toBe(code);
      }
      expect(await who.refusals(asked.id)).toHaveLength(2);
      expect(await statusOf(asked.id)).toBe('pending');
    });
  });
});

describe('groups in Slack', () => {
  const IN_GROUP = [{ id: 'S0SLACKERS', handle: 'slackers', users: [PAT] }];

  test('are asked for at the click: who is in them may, though no list names them', async () => {
    reset();
    who.setRule({ from: ['slackers'] });
    const asked = await who.ask(ana);
    expect(await who.ways.api({ actionId: asked.id, kind: 'approve' })).toBe('not_in_group');
    who.stage.slack.setUsergroups(IN_GROUP);
    expect(await who.ways.slack({ actionId: asked.id, kind: 'approve' })).toBe('done');
    expect(await statusOf(asked.id)).toBe('approved');
  });

  test('fall back to the lists where the workspace has no user groups', async () => {
    reset();
    who.stage.slack.setUsergroups(null);
    who.setPeople({ roles: ['approver'], groups: ['slackers'] }, [ana]);
    who.setRule({ from: ['slackers'] });
    const asked = await who.ask(ana);
    expect(await who.ways.slack({ actionId: asked.id, kind: 'approve' })).toBe('done');
  });

  test('are asked for once a minute at the most, a failure not being kept', async () => {
    reset();
    const { slack, plane } = who.stage;
    const { log } = plane.ctx;
    const directory = createSlackDirectory({ token: TOKENS.botToken, apiUrl: slack.apiUrl, log });
    const countCalls = (): number => slack.calls().filter(({ method }) => method === 'users.info').length;
    slack.faults.refuseNext('users.info', 1, 'internal_error');
    await expect(directory.person(PAT)).rejects.toThrow('internal_error');
    const before = countCalls();
    const [one, two] = await Promise.all([directory.person(PAT), directory.person(PAT)]);
    slack.changePerson(PAT, { deleted: true });
    expect([one, two, await directory.person(PAT)]).toEqual(
      Array(3).fill(expect.objectContaining({ isDeactivated: false })),
    );
    expect(countCalls() - before).toBe(1);
  });
});

describe('why', () => {
  test('tells the rule, who may, who has, and who could not and why', async () => {
    reset();
    const fay: Principal = { name: 'fay', roles: ['approver'], groups: ['locals'], slackUserId: null };
    const vic: Principal = { name: 'vic', roles: ['viewer'], groups: ['locals'], slackUserId: null };
    const gus: Principal = { name: 'gus', roles: ['viewer'], groups: [], slackUserId: null };
    who.setPeople({ roles: ['approver'], groups: ['locals'] }, [ana, oth, fay, vic, gus]);
    who.setRule({ approvals: 2, from: ['locals'] });
    const { ctx } = who.stage.plane;
    const asked = await who.ask(ana);
    expect(await who.ways.api({ actionId: asked.id, kind: 'approve' })).toBe('done');
    who.stage.slack.changePerson('U0OTH', { is_restricted: true });
    const told = await explainAction(ctx, who.stage.plane.asker('vic'), asked.id);
    who.stage.slack.changePerson('U0OTH', MEMBER);
    expect(told).toMatchObject({ end: null, may: ['fay'], has: [{ by: 'pat' }] });
    expect(told.rule).toContain('2 people of locals must approve');
    expect(Object.fromEntries(told.couldNot.map(({ name, sentence }) => [name, sentence]))).toEqual({
      ana: 'asked for it',
      oth: 'is a guest in Slack',
      root: 'is not of locals',
      vic: 'does not have the role approver or admin',
    });
  });
});

describe('one policy', () => {
  const world = fc.record({
    role: fc.constantFrom('viewer', 'operator', 'approver', 'approver', 'approver', 'admin', 'automation', 'auditor'),
    isOwn: fc.constantFrom(false, false, false, true),
    slack: fc.constantFrom<Partial<SlackPerson>>(
      MEMBER,
      MEMBER,
      MEMBER,
      { is_bot: true },
      { is_restricted: true },
      { deleted: true },
      { team_id: 'T0ELSEWHERE' },
    ),
    hasTwin: fc.constantFrom(false, false, false, true),
    isListed: fc.boolean(),
    isInUsergroup: fc.boolean(),
    usergroups: fc.constantFrom('there', 'there', 'no plan', 'gone'),
    from: fc.constantFrom(null, ['locals'], ['slackers'], ['locals', 'slackers']),
    distinctGroups: fc.boolean(),
    before: fc.constantFrom('nobody', 'oth', 'pat'),
    kind: fc.constantFrom('approve' as const, 'reject' as const),
  });
  type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

  function arrange(given: World): void {
    reset();
    const { slack } = who.stage;
    slack.changePerson(PAT, given.slack);
    const users = given.isInUsergroup ? [PAT, 'U0OTH'] : ['U0OTH'];
    const groups = given.usergroups === 'gone' ? [] : [{ id: 'S0SLACKERS', handle: 'slackers', users }];
    slack.setUsergroups(given.usergroups === 'no plan' ? null : groups);
    const lists = given.isListed ? ['locals', 'slackers'] : [];
    const others = given.hasTwin ? [ana, oth, { ...ana, name: 'twin', slackUserId: PAT }] : [ana, oth];
    who.setPeople({ roles: [given.role], groups: lists }, others);
    who.setRule({ approvals: 3, from: given.from, distinctGroups: given.distinctGroups && given.from !== null });
  }

  /** Written from the issue, not from the code: may pat decide in this world? */
  function mayPat(given: World): boolean {
    if (!['approver', 'admin'].includes(given.role) || given.isOwn || given.hasTwin) return false;
    if (given.slack !== MEMBER || given.before === 'pat') return false;
    const slackers = { there: given.isInUsergroup, 'no plan': given.isListed, gone: false }[given.usergroups] ?? false;
    const mine = { locals: given.isListed, slackers };
    if (given.from === null) return true;
    const isMember = given.from.some((group) => mine[group as keyof typeof mine]);
    if (!given.distinctGroups || given.kind === 'reject' || given.before === 'nobody') return isMember;
    return given.from.length === 2 && isMember; // oth stands for both, so whatever pat takes leaves the other
  }

  async function prepare(given: World): Promise<string> {
    const { id } = await who.ask(given.isOwn ? asPat() : ana);
    if (given.before === 'nobody') return id;
    await who.stage.plane.ctx.database.pool.query(
      `insert into decisions (id, action_id, kind, principal, via, status, groups)
       values ($1 || '/earlier', $1, 'approve', $2, 'api', 'applied', $3)`,
      [id, given.before, given.from ?? []],
    );
    return id;
  }

  test(`gives the same answer by every way in, and the right one (${RUNS} worlds)`, async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const answers: Record<string, string> = {};
        for (const way of ['slack', 'api', 'cli'] as const) {
          arrange(given);
          const actionId = await prepare(given);
          answers[way] = await who.ways[way]({ actionId, kind: given.kind });
        }
        const [first] = Object.values(answers);
        expect(answers).toEqual({ slack: first, api: first, cli: first });
        expect(first === 'done').toBe(mayPat(given));
      }),
      { numRuns: RUNS },
    );
  }, 120_000);
});
