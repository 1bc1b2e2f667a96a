import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ConflictError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { decideAction } from '../../services/actions/decide-action.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { Pump } from '../../services/pump.ts';
import { startPump } from '../../services/pump.ts';
import type { TestControlPlane } from '../support/context.ts';
import { createTestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { insertTestServer } from '../support/servers.ts';
import { countOf, repeat, STRESS_TIMEOUT_MS } from '../support/stress.ts';

const RACES = countOf({ usual: 200, stress: 10_000 });
const AT_ONCE = 6;

let plane: TestControlPlane;
let pump: Pump;

beforeAll(async () => {
  plane = await createTestControlPlane();
  await plane.startWorker();
  pump = startPump(plane.ctx);
});
afterAll(async () => {
  await pump.stop();
  await plane.stop();
});

const askers = (): { asker: Asker; kind: 'approve' | 'reject' }[] => [
  { asker: plane.asker('bob'), kind: 'approve' },
  { asker: { ...plane.asker('cid'), via: 'slack' }, kind: 'approve' },
  { asker: plane.asker('root'), kind: 'reject' },
];

interface Winner {
  by: string;
  kind: string;
}

/**
 * Who won and how. Whoever was told that it is applied must be it; everybody else was told that it is over, or, where
 * Temporal was slow, that their click is recorded, and then the row says what came of it.
 */
async function race(server: string): Promise<{ id: string; winners: Winner[] }> {
  const input = { server, playbook: 'restart-service', params: { service: 'nginx' } };
  const { id } = await requestAction(plane.ctx, plane.asker('ana'), input);
  const told: Winner[] = [];
  const click = async ({ asker, kind }: ReturnType<typeof askers>[number]): Promise<void> => {
    const decision = { actionId: id, kind, ...(kind === 'reject' ? { reason: 'no' } : {}) };
    try {
      const { outcome } = await decideAction(plane.ctx, asker, decision);
      if (outcome === 'applied') told.push({ by: asker.principal.name, kind });
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  };
  await Promise.all(askers().map(click));
  const winners = await poll('all clicks to be judged', () => readWinners(id));
  expect(winners).toEqual(expect.arrayContaining(told));
  return { id, winners };
}

async function readWinners(actionId: string): Promise<Winner[] | null> {
  const { rows } = await plane.ctx.database.pool.query<Winner & { status: string }>(
    'select principal as by, kind, status from decisions where action_id = $1',
    [actionId],
  );
  if (rows.some(({ status }) => status === 'recorded')) return null;
  return rows.filter(({ status }) => status === 'applied').map(({ by, kind }) => ({ by, kind }));
}

test(
  `${RACES} races of two approvals and a rejection have one winner each, the same in answer, row and audit`,
  async () => {
    const servers = await Promise.all(
      Array.from({ length: AT_ONCE }, () => insertTestServer(plane.ctx, { isPaused: true })),
    );
    const wins = new Map<string, number>();
    await repeat({ count: RACES, atOnce: AT_ONCE }, async (index) => {
      const { id, winners } = await race(servers[index % AT_ONCE]?.name ?? '');
      expect(winners).toHaveLength(1);
      const [winner] = winners;
      const { rows } = await plane.ctx.database.pool.query(
        `select actor, event from audit_events
         where subject_id = $1 and event in ('action.approved', 'action.rejected', 'action.approval_added')`,
        [id],
      );
      const event = winner?.kind === 'approve' ? 'action.approved' : 'action.rejected';
      expect(rows).toEqual([{ actor: winner?.by, event }]);
      wins.set(winner?.by ?? '', (wins.get(winner?.by ?? '') ?? 0) + 1);
    });
    expect([...wins.values()].reduce((sum, count) => sum + count, 0)).toBe(RACES);
    expect(wins.size).toBeGreaterThan(1); // they were races
  },
  STRESS_TIMEOUT_MS,
);
