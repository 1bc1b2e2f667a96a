import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { generatePrivateKeyPem, importSigningKey } from '../../protocol/keys.ts';
import type { CommandPayload, CommandResult } from '../../protocol/messages.ts';
import { createAgentHome } from '../fixtures/agent/agent-process.ts';
import type { AgentHome } from '../fixtures/agent/agent-process.ts';
import { startFakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';
import type { FakeControlPlane } from '../fixtures/agent/fake-control-plane.ts';

let home: AgentHome;
let plane: FakeControlPlane;
let digest: string;

beforeEach(async () => {
  home = createAgentHome();
  plane = await startFakeControlPlane();
  digest = writeScript('exit 0');
  home.writeAllow('version: 1\nallow:\n  run-script: { word: [good, "app-*"] }\n');
  const enrolled = await home.run(['enroll', '--token', 't'], plane.url);
  expect(enrolled.stderr).toBe('');
});
afterEach(async () => {
  await home.remove();
  await plane.close();
});

const writeScript = (body: string): string => home.writeScript(body);

async function ask(change: Partial<CommandPayload> = {}): Promise<CommandResult> {
  const jws = await plane.sign({ playbook_digest: digest, command_id: 'c-ask', ...change });
  plane.handOut(jws);
  return plane.result(change.command_id ?? 'c-ask');
}

/** A zombie is dead: where nobody reaps orphans its entry stays. */
function isAlive(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

describe('an agent', () => {
  test('runs a command end to end and keeps its key to itself', async () => {
    digest = writeScript('echo "hello $1 $MEDIC_COMMAND_ID"; env | sort | cut -d= -f1 | tr "\\n" " "; pwd; exit 3');
    home.start(plane.url);
    const result = await ask({ params: { word: 'app-x' } });
    expect(result).toMatchObject({ status: 'failed', exit_code: 3, signal: null, truncated: false, attempt: 1 });
    expect(result.stdout).toMatch(/^hello app-x c-ask\nHOME LANG MEDIC_COMMAND_ID PATH (PWD )?(SHLVL )?(_ )?\/\n$/);
    expect(statSync(join(home.agentDir, 'key.pem')).mode & 0o777).toBe(0o600);
    expect(statSync(home.agentDir).mode & 0o777).toBe(0o700);
  });

  test('refuses every forged or forbidden command with its code, and runs nothing', async () => {
    const trace = join(home.folder, 'ran');
    digest = writeScript(`touch ${trace}`);
    home.start(plane.url);
    const nowS = Math.floor(Date.now() / 1000);
    const stranger = await importSigningKey({ pem: generatePrivateKeyPem(), source: 'test' });
    plane.handOut(
      'nonsense',
      await plane.sign({ command_id: 'c-forged', playbook_digest: digest, seq: 900 }, stranger),
    );
    expect(await plane.result('c-forged')).toMatchObject({ status: 'refused', code: 'bad_signature' });
    const harmless = { command_id: 'c-harmless', seq: 500 };
    expect(await ask({ ...harmless, server_id: 'other' })).toMatchObject({ code: 'wrong_server' });
    expect(await ask({ command_id: 'c-late', exp: nowS - 1 })).toMatchObject({ code: 'outside_window' });
    expect(await ask({ command_id: 'c-early', nbf: nowS + 120, exp: nowS + 180 })).toMatchObject({
      code: 'outside_window',
    });
    expect(await ask({ command_id: 'c-1', seq: 10, playbook: 'no-such' })).toMatchObject({ code: 'unknown_playbook' });
    expect(await ask({ command_id: 'c-2', seq: 10 })).toMatchObject({ code: 'stale_seq' });
    const otherDigest = `sha256:${'f'.repeat(64)}`;
    expect(await ask({ command_id: 'c-3', seq: 11, playbook_digest: otherDigest })).toMatchObject({
      code: 'playbook_changed',
    });
    expect(await ask({ command_id: 'c-4', seq: 12, params: { word: '-rf' } })).toMatchObject({
      code: 'invalid_params',
    });
    expect(await ask({ command_id: 'c-5', seq: 13, params: { word: 'bad' } })).toMatchObject({
      code: 'not_allowed_here',
    });
    plane.set({ halted: true });
    expect(await ask({ command_id: 'c-6', seq: 14 })).toMatchObject({ code: 'halted' });
    plane.set({ halted: false });
    expect(existsSync(trace)).toBe(false);
    // What was refused for server or window used up neither id nor seq.
    expect(await ask({ command_id: 'c-late', seq: 15 })).toMatchObject({ status: 'refused', code: 'outside_window' });
    plane.beats.length = 0;
    expect(await ask({ command_id: 'c-late', seq: 16 })).toMatchObject({ status: 'completed' });
    expect(existsSync(trace)).toBe(true);
  });

  test('never starts a known command again, and reports its result again', async () => {
    digest = writeScript(`echo run >> ${join(home.folder, 'runs')}`);
    home.start(plane.url);
    await ask();
    plane.beats.length = 0;
    expect(await ask({ seq: 99 })).toMatchObject({ status: 'completed' });
    expect(readFileSync(join(home.folder, 'runs'), 'utf8')).toBe('run\n');
  });

  test('killed in the middle reports interrupted once and kills what is left', async () => {
    const pidFile = join(home.folder, 'pid');
    digest = writeScript(`echo $$ >> ${pidFile}; setsid sleep 300 & exec sleep 300`);
    const first = home.start(plane.url);
    plane.handOut(await plane.sign({ playbook_digest: digest, command_id: 'c-ask' }));
    await plane.beat((beat) => beat.running.some((entry) => entry.started_at !== null));
    await first.kill('SIGKILL');
    home.start(plane.url);
    expect(await plane.result('c-ask')).toMatchObject({ status: 'interrupted', exit_code: null });
    const pids = readFileSync(pidFile, 'utf8').trim().split('\n');
    expect(pids).toHaveLength(1);
    expect(isAlive(String(pids[0]))).toBe(false);
  });

  test('kills all processes of a command on timeout and on cancel, also those that left the group', async () => {
    const pidFile = join(home.folder, 'pid');
    digest = writeScript(`setsid sh -c 'echo $$ >> ${pidFile}; exec sleep 300' & sleep 300`);
    home.start(plane.url);
    expect(await ask({ timeout_s: 0.5 })).toMatchObject({ status: 'timed_out', exit_code: null });
    plane.handOut(await plane.sign({ playbook_digest: digest, command_id: 'c-cancel' }));
    await plane.beat((beat) =>
      beat.running.some((entry) => entry.command_id === 'c-cancel' && entry.started_at !== null),
    );
    plane.cancel('c-cancel');
    const result = await plane.result('c-cancel');
    expect(result.status).toBe('cancelled');
    expect(result.code).toBeUndefined();
    for (const pid of readFileSync(pidFile, 'utf8').trim().split('\n')) expect(isAlive(pid)).toBe(false);
  });

  test('starts nothing in a dry run', async () => {
    const trace = join(home.folder, 'ran');
    digest = writeScript(`touch ${trace}`);
    home.start(plane.url);
    expect(await ask({ dry_run: true })).toMatchObject({ status: 'completed', exit_code: null });
    expect(existsSync(trace)).toBe(false);
  });

  test('refuses a folder that another agent uses', async () => {
    home.start(plane.url);
    await plane.beat(() => true);
    const second = await home.run(['run'], plane.url);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^medic agent: .* is in use by another agent that is still running\.\n$/);
  });

  test('works with the clock and the session that the control plane tells', async () => {
    let answers = 0;
    plane.set({
      intercept: (beat) => {
        answers += 1;
        if (answers === 1) {
          const server_time = new Date(Date.now() + 3_600_000).toISOString();
          return { status: 401, body: { code: 'clock_skew', server_time } };
        }
        const last = { started_at: new Date(Date.now() + 7_200_000).toISOString(), beat: 7 };
        return answers === 2 ? { status: 409, body: { code: 'stale_heartbeat', last } } : void beat;
      },
    });
    home.start(plane.url);
    await plane.beat(() => plane.beats.length >= 3);
    const [, second, third] = plane.beats;
    const iatOf = (authorization = ''): number =>
      (JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString()) as { iat: number }).iat;
    expect(iatOf(second?.authorization) - Date.now() / 1000).toBeGreaterThan(3_500);
    expect(Date.parse(third?.session.started_at ?? '')).toBeGreaterThan(Date.now() + 7_100_000);
  });

  test('tells a SIGTERM apart from a crash: it ends at once, what ran is interrupted', async () => {
    digest = writeScript('exec sleep 300');
    const agent = home.start(plane.url);
    plane.handOut(await plane.sign({ playbook_digest: digest, command_id: 'c-ask' }));
    await plane.beat((beat) => beat.running.some((entry) => entry.started_at !== null));
    expect(await agent.kill('SIGTERM')).toBe(0);
    expect(await plane.result('c-ask')).toMatchObject({ status: 'interrupted' });
  });
});
