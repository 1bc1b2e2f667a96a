import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyCommand } from '../../protocol/command-jws.ts';
import { parseHeartbeatResponse } from '../../protocol/messages.ts';
import type { CommandPayload } from '../../protocol/messages.ts';
import { addCommandKey } from '../../services/keys/change-command-keys.ts';
import { createAgentHome } from '../fixtures/agent/agent-process.ts';
import { startFakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import type { AgentStage } from '../support/agent-stage.ts';
import { openAgentStage, signWith } from '../support/agent-stage.ts';
import { createWireAgent, makeKey, post } from '../support/agent-wire.ts';
import { poll } from '../support/poll.ts';
import { createResult } from '../support/scripted-agent.ts';

type Message = Record<string, unknown>;

/** As version 0.1.0 said it; never recorded anew. */
const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/protocol/version-1.json', import.meta.url), 'utf8'),
) as Record<'enrolment' | 'heartbeat', Record<'request' | 'response', Message>>;

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'list' : typeof value);

describe('an agent of version 0.1.0', () => {
  let stage: AgentStage;
  beforeAll(async () => {
    stage = await openAgentStage();
  });
  afterAll(() => stage.stop());

  /** Every field that it was recorded with is there, and of the same kind. */
  function expectAsRecorded(answer: Message, response: Message): void {
    const kinds = Object.entries(response).map(([name, value]) => [name, kindOf(value)]);
    expect(Object.fromEntries(kinds)).toEqual(
      Object.fromEntries(kinds.map(([name = '']) => [name, kindOf(answer[name])])),
    );
  }

  test('works with this control plane, also while it changes the key that signs', async () => {
    const [key, next] = [await makeKey(), await makeKey()];
    const { kid: _kid, ...publicKey } = key.publicKey;
    const token = await stage.makeToken('web-1');
    const enrolled = await post(stage.url, 'enroll', {
      body: { ...recorded.enrolment.request, token, public_key: publicKey },
    });
    expect(enrolled.status).toBe(201);
    expectAsRecorded(enrolled.json, recorded.enrolment.response);
    const agent = createWireAgent({ url: stage.url, serverId: String(enrolled.json['server_id']), key });
    const { protocol: _protocol, session: _session, ...said } = recorded.heartbeat.request;
    const idle = { ...said, wait_s: 0, running: [], results: [] };
    expect((await agent.beat({ ...said, wait_s: 0 })).json).toMatchObject({ acked: ['c0', 'c0'], cancel: ['c1'] });
    await addCommandKey(stage.plane.ctx, stage.plane.asker('root'), next.publicKey);
    signWith(stage, next);
    const { id } = await stage.request('web-1');
    const answer = await poll('a command', async () => {
      const { json } = await agent.beat(idle);
      return (json['commands'] as string[]).length > 0 ? json : null;
    });
    expectAsRecorded(answer, recorded.heartbeat.response);
    const reading = parseHeartbeatResponse(answer);
    if (!reading.isValid) throw new Error(JSON.stringify(reading.errors));
    const { commands, command_keys: keys = [] } = reading.value; // it adopts these before it looks at the commands
    const command = await verifyCommand({ jws: commands[0] ?? '', keys });
    expect(command).toMatchObject({ status: 'verified', kid: next.publicKey.kid });
    const { payload } = command as { payload: CommandPayload };
    const running = [{ command_id: payload.command_id, started_at: new Date().toISOString(), step: 1, steps: 1 }];
    expect(await agent.beat({ ...idle, running })).toMatchObject({ status: 200, json: { cancel: [] } });
    expect((await agent.beat({ ...idle, results: [createResult(payload)] })).json).toMatchObject({
      acked: [payload.command_id],
    });
    expect(await stage.settle(id)).toMatchObject({ status: 'completed' });
  });
});

describe('this agent', () => {
  test('works with a control plane of version 0.1.0, which knows nothing of changing keys', async () => {
    const home = createAgentHome();
    const plane = await startFakeControlPlane(); // answers with the fields that were recorded, and with no other
    try {
      const digest = home.writeScript('exit 0');
      home.writeAllow('version: 1\nallow:\n  run-script: "*"\n');
      await home.run(['enroll', '--token', 't'], plane.url);
      const key = readFileSync(join(home.agentDir, 'key.pem'), 'utf8');
      const agent = home.start(plane.url);
      plane.handOut(await plane.sign({ playbook_digest: digest, command_id: 'c-before' }));
      expect(await plane.result('c-before')).toMatchObject({ status: 'completed' });
      expect(await home.run(['rotate-key'], plane.url)).toMatchObject({ code: 0 });
      plane.nudge();
      await plane.beat((beat) => beat.next_key !== undefined);
      plane.handOut(await plane.sign({ playbook_digest: digest, command_id: 'c-after' }));
      expect(await plane.result('c-after')).toMatchObject({ status: 'completed' });
      expect(readFileSync(join(home.agentDir, 'key.pem'), 'utf8')).toBe(key);
      expect(await home.run(['rotate-key'], plane.url)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('under way already'),
      });
      expect(agent.stderr()).not.toMatch(/"level":"(?:warn|error)"/);
    } finally {
      await home.remove();
      await plane.close();
    }
  });
});
