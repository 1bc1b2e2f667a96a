import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CHAIN_START, hashEvent } from '../../protocol/audit-chain.ts';
import { takePort } from '../../sandbox/ports.ts';
import { poll } from '../support/poll.ts';
import type { ProcessStack } from '../support/process-stack.ts';
import { startProcessStack } from '../support/process-stack.ts';
import type { Run } from '../support/run-cli.ts';
import { runCli as medic } from '../support/run-cli.ts';

const START_MS = 120_000; // a control plane, an agent and five tokens, each a process, on busy cores
const SENTENCE = /^[^\n]+ \([a-z_]+\)\n$/;

function parse(run: Run): Record<string, unknown> {
  expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('(') });
  return JSON.parse(run.stdout) as Record<string, unknown>;
}

describe('medic as a client of a control plane', () => {
  let stack: ProcessStack;
  const tokens: Record<string, string> = {};

  function as(who: string, args: readonly string[], stdin?: string): Promise<Run> {
    return medic(args, { MEDIC_URL: stack.url, MEDIC_TOKEN: tokens[who] ?? '' }, stdin);
  }

  /** The id of an action that waits for a person, on a paused server. */
  async function requestPending(): Promise<string> {
    const made = await as('ana', ['action', 'request', 'gated-repair', 'web-1', '--json']);
    const action = parse(made);
    expect(action['status']).toBe('pending');
    return String(action['id']);
  }

  async function pause(): Promise<void> {
    parse(await as('ana', ['servers', 'pause', 'web-1', '--reason', 'maintenance', '--json']));
  }

  beforeAll(async () => {
    stack = await startProcessStack({ parts: ['api', 'worker'] });
    writeFileSync(stack.gate, ''); // no repair is held up
    const wanted = { ana: 'operator', 'ana-decides': 'approver', bob: 'approver', eve: 'auditor', root: 'admin' };
    for (const [name, role] of Object.entries(wanted)) {
      tokens[name] = await stack.createToken({ principal: name.replace('-decides', ''), role });
    }
  }, START_MS);
  afterAll(() => stack.stop(), START_MS);

  describe('on a server that is not paused', () => {
    beforeAll(async () => {
      await as('ana', ['servers', 'unpause', 'web-1']);
    });

    test('waits for an action, tells its id first and how it ended', async () => {
      const run = await as('ana', ['action', 'request', 'gated-repair', 'web-1', '--reason', 'slow', '--wait']);
      expect(run.stderr).toMatch(/^Waiting for \S+ {2}gated-repair {2}web-1/);
      expect(run.stdout).toContain('completed');
      expect(run.stdout).toContain('result       exit code 0');
      expect(run.code).toBe(0);
    });

    test('prints JSON of one action, of all, and of the servers', async () => {
      const made = parse(await as('ana', ['action', 'request', 'gated-repair', 'web-1', '--json']));
      const shown = parse(await as('ana', ['action', 'show', String(made['id']), '--json']));
      expect(shown).toMatchObject({ id: made['id'], server: 'web-1', requested_by: 'ana' });
      const page = parse(await as('ana', ['action', 'list', '--limit', '1', '--json']));
      expect(page).toMatchObject({ items: [{ id: made['id'] }], next: expect.any(String) });
      const rest = parse(await as('ana', ['action', 'list', '--after', String(page['next']), '--json']));
      expect(rest['items']).not.toEqual(page['items']);
      const servers = parse(await as('ana', ['servers', 'list', '--json']));
      expect(servers).toMatchObject({ items: [{ name: 'web-1', paused: false }] });
    });

    test('lists for a person, and says that there are more', async () => {
      const { stdout } = await as('ana', ['action', 'list', '--limit', '1']);
      expect(stdout).toMatch(/^ID +STATUS +PLAYBOOK[^]*gated-repair[^]*There are more: --after \S+\n$/);
    });

    test('ends with 1 when the action failed', async () => {
      const run = await as('ana', ['action', 'request', 'restart-service', 'web-1', 'service=nginx', '--wait']);
      expect(run.stdout).toContain('unknown_playbook'); // its agent has none of that name
      expect(run.code).toBe(1);
    });

    test.each([
      ['server', ['gated-repair', 'wbe-1'], '"web-1"'],
      ['playbook', ['gated-repiar', 'web-1'], '"gated-repair"'],
      ['parameter', ['restart-service', 'web-1', 'servce=nginx'], '"service"'],
      ['option', ['gated-repair', 'web-1', '--reson=x'], '--reason'],
    ])('answers an unknown %s with the nearest word and 2', async (_, args, nearest) => {
      const { code, stdout, stderr } = await as('ana', ['action', 'request', ...args]);
      expect(stderr).toContain(nearest);
      expect(stdout).toBe('');
      expect(code).toBe(2);
    });

    test.each([
      ['an unknown action', ['action', 'show', '00000000-0000-4000-8000-000000000000'], 'action_not_found'],
      ['an unknown server', ['servers', 'unpause', 'wbe-1'], 'Did you mean "web-1"?'],
      ['a missing parameter', ['action', 'request', 'restart-service', 'web-1'], 'missing_param'],
      ['no duration', ['servers', 'enroll', 'web-2', '--ttl', 'soon'], 'such as 30m'],
      ['no count', ['action', 'list', '--limit', 'ten'], 'limit'],
    ])('calls %s wrong use', async (_, args, told) => {
      const { code, stderr } = await as('root', args);
      expect(stderr).toContain(told);
      expect(code).toBe(2);
    });
  });

  describe('on a paused server', () => {
    beforeAll(pause);

    test('shows who must approve, what runs, and why the server is paused', async () => {
      const id = await requestPending();
      const { stdout } = await as('bob', ['action', 'show', id]);
      expect(stdout).toMatch(/^runs +\S+node\S* /m);
      expect(stdout).toMatch(/^requested +by ana, /m);
      expect(stdout).toMatch(/^approval +\S+/m);
      expect((await as('bob', ['servers', 'list'])).stdout).toContain('paused: maintenance');
    });

    test('shows what waits, why, and how full each limit is', async () => {
      const id = await requestPending();
      const { stdout } = await as('bob', ['queue']);
      expect(stdout).toMatch(/^\d+ of 10000 wait, \d+ of 100 execute/);
      expect(stdout).toMatch(new RegExp(`^web-1 +${id.slice(0, 8)} +gated-repair +pending .*It waits for people`, 'm'));
      const queue = parse(await as('bob', ['queue', '--json']));
      expect(queue).toMatchObject({ servers: [{ server: 'web-1', paused: true }], next: null });
    });

    test('refuses the approval of the requester with 3', async () => {
      const { code, stderr } = await as('ana-decides', ['action', 'approve', await requestPending()]);
      expect(stderr).toMatch(SENTENCE);
      expect(stderr).toContain('(own_request)');
      expect(code).toBe(3);
    });

    test('refuses who is no approver with 3', async () => {
      const { code, stderr } = await as('eve', ['action', 'approve', await requestPending()]);
      expect(stderr).toMatch(SENTENCE);
      expect(code).toBe(3);
    });

    test('tells what an approval did, and refuses the next decision', async () => {
      const id = await requestPending();
      const approved = await as('bob', ['action', 'approve', id, '--reason', 'go']);
      expect(approved.stdout).toMatch(/^You approved gated-repair on web-1\.\n/);
      expect(approved.code).toBe(0);
      const late = await as('bob', ['action', 'reject', id, '--reason', 'too late']);
      expect(late.stderr).toMatch(/\((already_decided|already_ended)\)\n$/);
      expect(late.code).toBe(3);
    });

    test('refuses an approval of another playbook than was seen', async () => {
      const digest = `sha256:${'0'.repeat(64)}`;
      const args = ['action', 'approve', await requestPending(), '--playbook-digest', digest];
      expect(await as('bob', args)).toMatchObject({ code: 3, stderr: expect.stringContaining('(playbook_changed)') });
    });

    test('pauses for a while', async () => {
      const { code, stdout } = await as('ana', ['servers', 'pause', 'web-1', '--reason', 'maintenance', '--for', '2h']);
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^web-1 is paused until 2\d{3}-.*Z\.\n$/)]);
    });

    test('prints the outcome of a decision as JSON', async () => {
      const decided = parse(await as('bob', ['action', 'approve', await requestPending(), '--json']));
      expect(decided).toMatchObject({ outcome: 'applied', sentence: 'You approved gated-repair on web-1.' });
    });

    test('calls a rejection without a reason wrong use', async () => {
      const id = await requestPending();
      const { code, stderr } = await as('bob', ['action', 'reject', id]);
      expect(stderr).toContain('--reason');
      expect(code).toBe(2);
      expect((await as('bob', ['action', 'reject', id, '--reason', ' '])).code).toBe(2);
    });

    test('ends a wait with 3 when the action is rejected', async () => {
      const waiting = as('ana', ['action', 'request', 'gated-repair', 'web-1', '--reason', 'to reject', '--wait']);
      const id = await findPending('to reject');
      const rejected = await as('bob', ['action', 'reject', id, '--reason', 'not today']);
      expect(rejected.stdout).toMatch(/^You rejected /);
      const run = await waiting;
      expect(run.stdout).toMatch(/^rejected +by bob, .*because: not today$/m);
      expect(run.code).toBe(3);
    });

    test('ends a wait with 1 when the action is cancelled', async () => {
      const waiting = as('ana', ['action', 'request', 'gated-repair', 'web-1', '--reason', 'to cancel', '--wait']);
      const id = await findPending('to cancel');
      const cancelled = await as('ana', ['action', 'cancel', id]);
      expect(cancelled.stdout).toMatch(/^You cancelled /);
      expect(await waiting).toMatchObject({ code: 1, stdout: expect.stringContaining('cancelled') });
    });

    test('lets no control character of a reason reach the terminal', async () => {
      const reason = 'clear\u001b[2J screen\u009b1m \u202ekcab';
      const made = await as('ana', ['action', 'request', 'gated-repair', 'web-1', '--reason', reason, '--json']);
      expect(parse(made)['reason']).toBe(reason);
      const { stdout } = await as('ana', ['action', 'show', String(parse(made)['id'])]);
      expect(stdout).toContain('because: clear\ufffd[2J screen\ufffd1m \ufffdkcab');
      expect(made.stdout + stdout).toMatch(/^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]+$/);
    });

    test(
      'tells a decision that is only recorded as such, and it is applied later',
      async () => {
        const id = await requestPending();
        await stack.kill('worker');
        const decided = await as('bob', ['action', 'approve', id]);
        expect(decided).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Your approval is recorded\./) });
        expect(decided.stdout).toContain('pending');
        await stack.restart('worker');
        await poll('the approval to be applied', async () => {
          const { status } = parse(await as('bob', ['action', 'show', id, '--json']));
          return status === 'completed';
        });
      },
      START_MS,
    );

    test(
      'waits on while the control plane is away for a moment',
      async () => {
        const waiting = as('ana', ['action', 'request', 'gated-repair', 'web-1', '--reason', 'restart', '--wait']);
        const id = await findPending('restart');
        await stack.kill('api');
        await stack.restart('api');
        await as('bob', ['action', 'approve', id]);
        expect(await waiting).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Waiting for [^\n]+\n$/) });
      },
      START_MS,
    );

    test('unpauses', async () => {
      expect(parse(await as('ana', ['servers', 'unpause', 'web-1', '--json']))).toMatchObject({ paused: false });
      await pause();
    });

    function findPending(reason: string): Promise<string> {
      return poll('the action to wait for a person', async () => {
        const { items } = parse(await as('bob', ['action', 'list', '--status', 'pending', '--json']));
        return (items as { id: string; reason: string }[]).find((one) => one.reason === reason)?.id;
      });
    }
  });

  describe('a halt', () => {
    const ask = (): Promise<Run> => as('ana', ['action', 'request', 'gated-repair', 'web-1']);

    test('stops what is asked for, is shown wherever one looks, and is lifted by its number', async () => {
      const declared = parse(await as('ana', ['halt', '--reason', 'no space', '--for', '2h', '--json']));
      expect(declared).toMatchObject({ scope: 'all', value: null, declared_by: 'ana', reason: 'no space' });
      expect(Date.parse(String(declared['until']))).toBeGreaterThan(Date.now() + 3_600_000);
      const id = String(declared['id']);
      const [asked, listed, servers, queue] = await Promise.all([
        ask(),
        as('bob', ['halt', 'list']),
        as('bob', ['servers', 'list']),
        as('bob', ['queue']),
      ]);
      expect(asked).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('no space') });
      expect(asked.stderr).toContain('(halted)');
      expect(listed.stdout).toMatch(new RegExp(`^${id} +Everything +ana .* no space$`, 'm'));
      expect(servers.stdout).toMatch(/^web-1 +\w+, halted by ana: no space /m);
      expect(queue.stdout).toMatch(/^Everything is halted by ana: no space$/m);
      const lifted = await as('ana', ['halt', 'lift', id, '--reason', 'there is room']);
      expect(lifted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Everything may start again\. /) });
      expect((await as('bob', ['halt', 'list'])).stdout).toContain('Nothing is halted.');
      const { items } = parse(await as('bob', ['halt', 'list', '--all', '--json']));
      expect(items).toMatchObject([{ id, lifted_by: 'ana', lift_reason: 'there is room' }]);
    });

    test('of one playbook is a freeze', async () => {
      const { stdout } = await as('ana', ['halt', '--reason', 'it makes it worse', '--playbook', 'gated-repair']);
      expect(stdout).toMatch(/^The playbook gated-repair is frozen until it is lifted: medic halt lift \d+\.\n$/);
      expect((await ask()).stderr).toContain('(frozen)');
      expect((await as('ana', ['halt', 'lift', /\d+/.exec(stdout)?.[0] ?? ''])).code).toBe(0);
    });

    test.each([
      ['ana', ['halt'], 2, 'Say why'],
      ['bob', ['halt', '--reason', 'x'], 3, 'role_missing'],
      ['ana', ['halt', '--reason', 'x', '--tag', 'nowhere'], 2, 'unknown_tag'],
      ['ana', ['halt', 'lift', '999'], 2, 'halt_not_found'],
    ])('of %s is refused: medic %j', async (who, args, code, told) => {
      expect(await as(who, args)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(told) });
    });
  });

  describe('the audit log', () => {
    /** The same events by somebody else, with hashes that fit. */
    function makeAnew(log: string): string {
      let prev = CHAIN_START;
      const lines = log.trimEnd().split('\n');
      return lines
        .map((line) => {
          const event = { ...(JSON.parse(line) as Record<string, unknown>), actor: 'mallory', prev };
          prev = hashEvent(event);
          return `${JSON.stringify({ ...event, hash: prev })}\n`;
        })
        .join('');
    }

    test('is exported so that it verifies, and a changed line is named', async () => {
      const exported = await as('eve', ['audit', 'export']);
      expect(exported.code).toBe(0);
      const verified = await medic(['audit', 'verify', '-'], {}, exported.stdout);
      expect(verified).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Intact: \d+ events/) });
      const lines = exported.stdout.trimEnd().split('\n');
      lines[2] = (lines[2] ?? '').replace(/"actor":"\w+"/, '"actor":"mallory"');
      const tampered = await medic(['audit', 'verify', '-'], {}, lines.join('\n'));
      expect(tampered).toMatchObject({ code: 1, stdout: expect.stringMatching(/^Line 3: .*\(changed\)\n$/) });
      const cut = await medic(['audit', 'verify', '-', '--json'], {}, lines.toSpliced(1, 1).join('\n'));
      expect(JSON.parse(cut.stdout)).toMatchObject({ is_intact: false, line: 2, code: 'gap' });
      expect(await medic(['audit', 'verify', '-'], {})).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('(empty)'),
      });
    });

    test('is held against what an agent was given on the way, and against a checkpoint of the API', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'medic-audit-'));
      const at = (name: string): string => join(folder, name);
      const owner = (...args: string[]) => medic(['agent', 'witness', ...args], { ...stack.agentEnv });
      const given = await poll('the agent to be given a checkpoint', async () => {
        const run = await owner();
        return run.code === 0 ? run : undefined;
      });
      writeFileSync(at('witness.txt'), given.stdout);
      writeFileSync(at('keys.json'), (await owner('--keys')).stdout);
      const files = ['--checkpoint', at('checkpoint.jws'), '--keys', at('keys-of-api.json')];
      const exported = await as('eve', ['audit', 'export', ...files]);
      const verify = (log: string, witness: string, keys: string) =>
        medic(['audit', 'verify', '-', '--witness', at(witness), '--keys', at(keys)], {}, log);
      for (const [witness, keys] of [
        ['witness.txt', 'keys.json'],
        ['checkpoint.jws', 'keys-of-api.json'],
      ] as const) {
        const verified = await verify(exported.stdout, witness, keys);
        expect(verified).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/agrees with \d+ signed checkpoints/),
        });
        const made = await verify(makeAnew(exported.stdout), witness, keys);
        expect(made).toMatchObject({
          code: 1,
          stdout: expect.stringMatching(/^Line \d+: .*\(differs_from_checkpoint\)\n$/),
        });
      }
      writeFileSync(at('forged.txt'), given.stdout.replace(/\.[^.\n]{20}/, `.${'A'.repeat(20)}`));
      expect(await verify(exported.stdout, 'forged.txt', 'keys.json')).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^Line 1 of .*\(bad_checkpoint\)\n$/),
      });
      const alone = await medic(['audit', 'verify', '-', '--witness', at('witness.txt')], {}, exported.stdout);
      expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining('(witness_without_keys)') });
      rmSync(folder, { recursive: true });
    });

    test('is refused to who may not read it', async () => {
      const { code, stdout, stderr } = await as('bob', ['audit', 'export']);
      expect(stderr).toMatch(SENTENCE);
      expect([code, stdout]).toEqual([3, '']);
    });
  });

  test('prints the token that enrols a server, to an admin only', async () => {
    expect((await as('root', ['servers', 'enroll', 'web-2', '--ttl', '30m'])).stdout).toMatch(/^\S{20,}\n$/);
    const made = parse(await as('root', ['servers', 'enroll', 'web-2', '--tag', 'eu', '--json']));
    expect(made).toMatchObject({ token: expect.any(String), expires_at: expect.any(String) });
    expect((await as('ana', ['servers', 'enroll', 'web-2'])).code).toBe(3);
  });

  describe('without a control plane that knows it', () => {
    test('tells a wrong token in one sentence', async () => {
      const wrong = { MEDIC_URL: stack.url, MEDIC_TOKEN: `medic_${'x'.repeat(43)}` };
      const { code, stderr } = await medic(['action', 'list'], wrong);
      expect(stderr).toMatch(SENTENCE);
      expect(stderr).toContain('MEDIC_TOKEN');
      expect(code).toBe(1);
    });

    test('tells in one sentence that nothing is there', async () => {
      const { port } = await takePort();
      const away = { MEDIC_URL: `http://127.0.0.1:${port}`, MEDIC_TOKEN: tokens['ana'] ?? '' };
      const { code, stdout, stderr } = await medic(['action', 'list', '--json'], away);
      expect(stderr).toMatch(SENTENCE);
      expect(stderr).toContain('(control_plane_away)');
      expect([code, stdout]).toEqual([1, '']);
    });

    test.each([
      [200, 'no_control_plane'],
      [404, 'no_control_plane'],
      [502, 'control_plane_away'],
    ])('takes a page with status %d for no answer of Medic', async (status, expected) => {
      const web = createServer((_, response) => response.writeHead(status).end('<html>'));
      await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
      try {
        const { port } = web.address() as AddressInfo;
        const env = { MEDIC_URL: `http://127.0.0.1:${port}`, MEDIC_TOKEN: tokens['ana'] ?? '' };
        const { code, stderr } = await medic(['servers', 'list'], env);
        expect(stderr).toMatch(SENTENCE);
        expect(stderr).toContain(expected);
        expect(code).toBe(1);
      } finally {
        web.close();
        web.closeAllConnections();
      }
    });

    test('takes no token with a foreign character', async () => {
      const { code, stderr } = await medic(['servers', 'list'], { MEDIC_URL: stack.url, MEDIC_TOKEN: 'medic_…' });
      expect(stderr).toMatch(SENTENCE);
      expect(stderr).toContain('MEDIC_TOKEN');
      expect(code).toBe(1);
    });

    test('names what is not set', async () => {
      const { code, stderr } = await medic(['servers', 'list'], {});
      expect(stderr).toContain('MEDIC_URL is not set');
      expect(code).toBe(2);
    });
  });
});
