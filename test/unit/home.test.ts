import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHome } from '../../bot/blocks/home.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import type { HaltView } from '../../services/halts/halt-view.ts';
import type { ServerView } from '../../services/servers/server-view.ts';
import { expectFineHome, partsOf } from '../support/expect-fine.ts';
import { action, halt, server } from '../support/generated-views.ts';

const sample = <T>(of: fc.Arbitrary<T>, count: number): T[] => fc.sample(of, { numRuns: count, seed: 1 });
const [anyHalt] = sample(halt, 1);
const standing = {
  ...anyHalt,
  ...{ id: 7, scope: 'all', value: null, declaredBy: 'bob', reason: 'the disks fill up', until: null },
} as HaltView;
const [anyAction] = sample(action, 1);
const waiting = (change: Partial<ActionView> = {}): ActionView => ({
  ...(anyAction as ActionView),
  ...{ status: 'pending', approvalsRequired: 1, approvals: [], expiresAt: new Date(0), halt: null },
  ...change,
});

const homeOf = (actions: ActionView[], halts: HaltView[]) =>
  createHome(
    { waiting: actions, waitingCount: actions.length, asked: [], failed: [], paused: [], halts },
    JSON.stringify({ ids: [] }),
  );
const buttonsOn = (actions: ActionView[], halts: HaltView[]): string[] =>
  partsOf(homeOf(actions, halts).blocks).flatMap(({ action_id: name }) => name ?? []);

describe('Home under a halt', () => {
  test('says first what stands still, by whom, why and until when', () => {
    const told = JSON.stringify(homeOf([], [standing]).blocks[1]);
    expect(told).toContain('Everything halted by: ');
    expect(told).toContain('bob, “the disks fill up”');
    expect(told).toContain('until somebody lifts it');
    expect(JSON.stringify(homeOf([], []).blocks)).not.toContain('halted');
    const many = [1, 2, 3, 4, 5].map((id) => ({ ...standing, id }));
    expect(JSON.stringify(homeOf([], many).blocks[1])).toContain('2 more; /remediate halts lists all');
  });

  test('offers to approve exactly what no halt covers', () => {
    expect(buttonsOn([waiting()], [])).toContain('medic_approve');
    const halted = buttonsOn([waiting({ halt: standing })], [standing]);
    expect(halted).not.toContain('medic_approve');
    expect(halted).toEqual(expect.arrayContaining(['medic_reject', 'medic_details']));
  });

  test('fits into what Slack takes with every section full', () => {
    const full = { approvalsRequired: 2, expiresAt: new Date(0), halt: standing };
    const actions = sample(action, 25).map((one): ActionView => ({ ...one, status: 'pending', ...full }));
    const servers = sample(server, 12).map((one): ServerView => ({ ...one, paused: true }));
    const halts = [1, 2, 3, 4, 5].map((id) => ({ ...standing, id }));
    const content = { waiting: actions, waitingCount: 25, asked: actions, failed: actions, paused: servers };
    expectFineHome({ ...content, halts });
    expect(createHome({ ...content, halts }, '{}').blocks).toHaveLength(100);
  });
});
