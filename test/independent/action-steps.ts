import { expect } from '@jest/globals';
import type { ControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import type { Answer, Json } from './http-exchange.ts';

/** Requests an action as ana (operator) and returns it. Fails the test on anything but 201. */
export async function requestAction(plane: ControlPlane, server: string, fields: Json = {}): Promise<Json> {
  const ana = await plane.as('ana', 'operator');
  const answer = await ana.post('/api/v1/actions', {
    server,
    playbook: 'echo-note',
    params: { note: 'hello' },
    ...fields,
  });
  expectStatus(answer, 201);
  return answer.body;
}

export async function readAction(plane: ControlPlane, id: string): Promise<Json> {
  const vic = await plane.as('vic', 'viewer');
  const answer = await vic.get(`/api/v1/actions/${id}`);
  expectStatus(answer, 200);
  return answer.body;
}

export async function awaitStatus(plane: ControlPlane, id: string, status: string, withinMs = 15_000): Promise<Json> {
  let last: Json;
  return eventually(
    `action ${id} to be ${status}`,
    async () => {
      last = await readAction(plane, id);
      return last.status === status && (last as Json);
    },
    { withinMs, seen: () => last },
  );
}

export async function readServer(plane: ControlPlane, id: string): Promise<Json> {
  const vic = await plane.as('vic', 'viewer');
  const answer = await vic.get(`/api/v1/servers/${id}`);
  expectStatus(answer, 200);
  return answer.body;
}

export async function pause(plane: ControlPlane, serverId: string, reason = 'works on the disks'): Promise<Json> {
  const ana = await plane.as('ana', 'operator');
  const answer = await ana.put(`/api/v1/servers/${serverId}/pause`, { reason });
  expectStatus(answer, 200);
  return answer.body;
}

export function expectStatus(answer: Answer, status: number): void {
  expect({ status: answer.status, text: answer.text.slice(0, 2000) }).toMatchObject({ status });
}

/** The answer is a problem document with this status and, where given, this code. */
export function expectProblem(answer: Answer, status: number, code?: string): void {
  expectStatus(answer, status);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code: code ?? expect.stringMatching(/^[a-z]+(_[a-z]+)*$/),
  });
}
