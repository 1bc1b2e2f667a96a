import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { awaitStatus, expectStatus, pause, readAction, requestAction } from './action-steps.ts';
import { resultOf, runningEntry } from './agent-client.ts';
import { medicYaml } from './configuration-folder.ts';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import { findFreePort, runMedic } from './medic-process.ts';
import { buttonsOf } from './slack-person.ts';

jest.setTimeout(120_000);

const DRAIN_MS = 10_000; // the contract's own number

describe('the process of medic server', () => {
  let started: ControlPlane | undefined;
  beforeAll(async () => {
    started = await startControlPlane({ approvalTimeout: '4s', startWithin: '6s' });
  });
  afterAll(async () => {
    await started?.close();
  });
  function plane(): ControlPlane {
    if (started === undefined) throw new Error('The control plane did not start.');
    return started;
  }

  test('expires what nobody decides, with a new message', async () => {
    const agent = await plane().enrol('expire-1');
    await pause(plane(), agent.serverId);
    const action = await requestAction(plane(), agent.name);
    expect(action.status).toBe('pending');
    await awaitStatus(plane(), action.id, 'expired', 30_000);
    const messages = await eventually('card and notification', () => {
      const about = plane().slack.cardsOf(action.id);
      return about.length === 2 && about.every(({ metadata }) => metadata.event_payload.status === 'expired') && about;
    });
    const left = messages.flatMap((message) => buttonsOf(message).map((button) => button.action_id as string));
    expect(left.filter((id) => ['medic_approve', 'medic_reject'].includes(id))).toEqual([]);
  });

  test('expires what is approved and never fetched: agent_offline or queue_timeout', async () => {
    await plane().enrol('expire-2');
    const busy = await plane().enrol('expire-3');
    await busy.beat();
    const silent = await requestAction(plane(), 'expire-2');
    const queued = await requestAction(plane(), 'expire-3');
    expect((await awaitStatus(plane(), silent.id, 'expired', 30_000)).failure_code).toBe('agent_offline');
    expect((await awaitStatus(plane(), queued.id, 'expired', 30_000)).failure_code).toBe('queue_timeout');
  });

  test('reads its configuration again on SIGHUP, and keeps the old one where the new is broken', async () => {
    await plane().enrol('reload-1');
    const ana = await plane().as('ana', 'operator');
    const file = join(plane().configFolder, 'playbooks', 'late-note.yaml');
    const ask = (): Promise<number> =>
      ana
        .post('/api/v1/actions', { server: 'reload-1', playbook: 'late-note', params: {} })
        .then(({ status }) => status);
    expect(await ask()).toBe(400);
    writeFileSync(
      file,
      `name: late-note\ntitle: Late\ndescription: Late.\nrisk: low\ntimeout: 5s\nidempotent: true\nsteps:\n  - run: [/bin/true]\n`,
    );
    plane().server().signal('SIGHUP');
    await eventually('the new playbook', async () => (await ask()) === 201);
    writeFileSync(file, 'name: late-note\nstepz: []\n');
    const printed = plane().server().output().length;
    plane().server().signal('SIGHUP');
    await eventually('the mistake to be told', () => plane().server().output().slice(printed).includes('stepz'));
    expect(await ask()).toBe(201);
    rmSync(file);
  });

  test('killed in the middle of an action, it ends right after the restart, handed out once', async () => {
    const agent = await plane().enrol('kill-1');
    const action = await requestAction(plane(), agent.name);
    const command = await agent.awaitCommand();
    await agent.beat({ running: [runningEntry(command)] });
    await awaitStatus(plane(), action.id, 'executing');
    plane().server().killAll();
    await plane().server().ended;
    await expect(agent.beat()).rejects.toThrow(/ECONN|socket/);
    await plane().start();
    const running = await agent.beat({ running: [runningEntry(command)] });
    expectStatus(running, 200);
    expect(running.body).toMatchObject({ commands: [], cancel: [] });
    expect((await agent.report([resultOf(command)])).body.acked).toEqual([command.command_id]);
    expect(await awaitStatus(plane(), action.id, 'completed')).toMatchObject({ attempt: 1, exit_code: 0 });
    expect((await agent.beat({ wait_s: 1 })).body.commands).toEqual([]);
  });

  test('killed after a hand-out that never arrived, it hands out the same command again', async () => {
    // A restart may take longer than the short start_within of the expiry tests.
    writeFileSync(join(plane().configFolder, 'medic.yaml'), medicYaml({}));
    plane().server().killAll();
    await plane().server().ended;
    await plane().start();
    const agent = await plane().enrol('kill-2');
    const action = await requestAction(plane(), agent.name);
    const lost = await agent.awaitCommand();
    plane().server().killAll();
    await plane().server().ended;
    await plane().start();
    const again = await agent.awaitCommand();
    expect([again.command_id, again.seq]).toEqual([lost.command_id, lost.seq]);
    await agent.report([resultOf(again)]);
    await awaitStatus(plane(), action.id, 'completed');
  });

  test('on SIGTERM answers a held heartbeat at once and ends within 10 s', async () => {
    const agent = await plane().enrol('term-1');
    await agent.beat();
    const held = agent.beat({ wait_s: 20 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const began = performance.now();
    plane().server().signal('SIGTERM');
    expectStatus(await held, 200);
    expect(performance.now() - began).toBeLessThan(3000);
    const ended = await plane().server().ended;
    expect(performance.now() - began).toBeLessThan(DRAIN_MS);
    expect(ended.exitCode).toBe(0);
    await plane().start();
    expect((await readAction(plane(), (await requestAction(plane(), agent.name)).id)).server).toBe('term-1');
  });

  test('refuses a schema that is behind, naming the command that mends it', async () => {
    const empty = new URL(plane().env['DATABASE_URL'] ?? '');
    empty.pathname = '/template1';
    const env = { ...plane().env, DATABASE_URL: empty.href, MEDIC_LISTEN: `127.0.0.1:${await findFreePort()}` };
    const ended = await runMedic(['server'], env);
    expect(ended.exitCode).toBe(1);
    expect(ended.stdout + ended.stderr).toContain('migrate up');
  });

  test.each([
    ['an unknown name', { MEDIC_LISTN: 'x' }, 'MEDIC_LISTEN'],
    ['an address for all without TLS', { MEDIC_LISTEN: '0.0.0.0:0' }, 'MEDIC_TLS_CERT'],
    ['no key to sign with', { MEDIC_SIGNING_KEY: '' }, 'MEDIC_SIGNING_KEY'],
  ])('does not start with %s, and says what would be right', async (_what, change, word) => {
    const env = { ...plane().env, MEDIC_LISTEN: `127.0.0.1:${await findFreePort()}`, ...change };
    const ended = await runMedic(['server'], env);
    expect(ended.exitCode).not.toBe(0);
    expect(ended.stdout + ended.stderr).toContain(word);
  });

  test('answers wrong use with exit 2', async () => {
    expect((await plane().cli(['no-such-subcommand'])).exitCode).toBe(2);
    expect((await plane().cli(['--help'])).exitCode).toBe(0);
  });
});
