import { describe, expect, test } from '@jest/globals';
import { awaitStatus, expectProblem, expectStatus, pause, readAction, requestAction } from './action-steps.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Answer, Json } from './http-exchange.ts';

export function describeDecisions(plane: () => ControlPlane): void {
  async function decide(who: [string, string], id: string, verb: string, body: Json = {}): Promise<Answer> {
    return (await plane().as(...who)).post(`/api/v1/actions/${id}/${verb}`, body);
  }
  async function requestOnPaused(name: string, fields: Json = {}): Promise<Json> {
    const agent = await plane().enrol(name, fields.tags);
    await pause(plane(), agent.serverId);
    const { tags: _tags, ...request } = fields;
    return requestAction(plane(), name, request);
  }

  describe('a decision', () => {
    test('is refused to the requester, to automation, to roles that may not and outside the group', async () => {
      const agent = await plane().enrol('decide-1');
      const bob = await plane().as('bob', 'operator');
      const request = { server: agent.name, playbook: 'risky-note', params: { note: 'abc' } };
      const answer = await bob.post('/api/v1/actions', request);
      expectStatus(answer, 201);
      const { id, status } = answer.body;
      expect(status).toBe('pending');
      for (const who of [
        ['bob', 'approver'],
        ['robot', 'automation'],
        ['ana', 'operator'],
        ['vic', 'viewer'],
        ['aud', 'auditor'],
        ['dee', 'approver'],
      ] as [string, string][]) {
        expectProblem(await decide(who, id, 'approve'), 403);
        if (who[0] !== 'bob') expectProblem(await decide(who, id, 'reject', { reason: 'no' }), 403);
      }
      expect((await readAction(plane(), id)).status).toBe('pending');
      const cid: [string, string] = ['cid', 'approver'];
      expectProblem(await decide(cid, id, 'approve', { reason: 'fine' }), 400, 'confirm_server_missing');
      const proofs = { reason: 'fine', confirm_server: agent.name };
      expectStatus(await decide(cid, id, 'approve', proofs), 200);
      const approved = await awaitStatus(plane(), id, 'approved');
      expect(approved).toMatchObject({ approved_by: 'cid', approvals: [{ by: 'cid', reason: 'fine' }] });
    });

    test('about another playbook digest is 409, about the right one counts', async () => {
      const action = await requestOnPaused('decide-2');
      const other = { playbook_digest: `sha256:${'f'.repeat(64)}` };
      expectProblem(await decide(['cid', 'approver'], action.id, 'approve', other), 409);
      expect((await readAction(plane(), action.id)).status).toBe('pending');
      const right = { playbook_digest: action.playbook_digest };
      expectStatus(await decide(['cid', 'approver'], action.id, 'approve', right), 200);
    });

    test('to reject wants a reason, keeps it, and ends the action for good', async () => {
      const action = await requestOnPaused('decide-3');
      expectProblem(await decide(['cid', 'approver'], action.id, 'reject', {}), 400);
      expectStatus(await decide(['cid', 'approver'], action.id, 'reject', { reason: 'not today' }), 200);
      const rejected = await awaitStatus(plane(), action.id, 'rejected');
      expect(rejected).toMatchObject({ rejected_by: 'cid', rejection_reason: 'not today' });
      expectProblem(await decide(['bob', 'approver'], action.id, 'approve'), 409);
      expectProblem(await decide(['bob', 'approver'], action.id, 'reject', { reason: 'x' }), 409);
      expectProblem(await decide(['ana', 'operator'], action.id, 'cancel'), 409);
    });

    test('is one a person: two are needed where the rule says two', async () => {
      const action = await requestOnPaused('decide-4', { tags: ['two-people'] });
      expectStatus(await decide(['cid', 'approver'], action.id, 'approve'), 200);
      expectProblem(await decide(['cid', 'approver'], action.id, 'approve'), 409);
      expect((await readAction(plane(), action.id)).status).toBe('pending');
      expectStatus(await decide(['dee', 'approver'], action.id, 'approve'), 200);
      const approved = await awaitStatus(plane(), action.id, 'approved');
      expect(approved.approvals.map((approval: Json) => approval.by)).toEqual(['cid', 'dee']);
      expect(approved.approved_by).toBe('dee');
    });

    test('to cancel a pending action is an operator’s', async () => {
      const action = await requestOnPaused('decide-5');
      expectProblem(await decide(['cid', 'approver'], action.id, 'cancel'), 403);
      expect([200, 202]).toContain((await decide(['ana', 'operator'], action.id, 'cancel')).status);
      await awaitStatus(plane(), action.id, 'cancelled');
    });
  });
}
