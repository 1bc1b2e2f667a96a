import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MedicError } from '../../domain/errors.ts';
import { parseCommand } from '../../bot/grammar.ts';
import { COMMANDS } from '../../bot/listeners/commands/index.ts';

const HOUR_MS = 3_600_000;
const PLAYBOOKS = ['restart-service', 'clear-logs'];
const parse = (text: string) => parseCommand(text, { verbs: COMMANDS, playbooks: PLAYBOOKS });

function refusal(text: string): { code: string; message: string } {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof MedicError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error(`"${text}" was understood`);
}

describe('what is typed behind /remediate', () => {
  test('opens the form where nothing is typed', () => {
    expect(parse('   ')).toEqual({ kind: 'form' });
  });

  test.each([
    'restart-service web-1 service=nginx reason="it hangs"',
    'Restart_Service web-1 reason=“it hangs” service=nginx',
    'service=nginx restart-service reason=„it hangs“ web-1',
    'web-1 RESTART_SERVICE service=nginx reason="it hangs"',
    'restart-service <http://web-1|web-1> service=<https://nginx/|nginx> reason="it hangs"',
    "restart-service  web-1\tservice='nginx' reason=«it hangs»",
  ])('is a request, in any order and with any quotes: %s', (text) => {
    expect(parse(text)).toEqual({
      kind: 'request',
      playbook: 'restart-service',
      server: 'web-1',
      params: { service: 'nginx' },
      reason: 'it hangs',
    });
  });

  test('keeps apostrophes, further equals signs and what Slack escaped', () => {
    const typed = parse(`clear-logs web-1 path=/var/log/a=b reason="it&amp;that don't &lt;work&gt;"`);
    expect(typed).toMatchObject({ params: { path: '/var/log/a=b' }, reason: "it&that don't <work>" });
    expect(parse('clear-logs web-1 path=don’t')).toMatchObject({ params: { path: 'don’t' } });
  });

  test('is a verb with its word and reason', () => {
    expect(parse('reject 1a2b3c4d reason="not now"')).toEqual({
      kind: 'verb',
      verb: 'reject',
      word: '1a2b3c4d',
      reason: 'not now',
    });
    expect(parse('HISTORY')).toMatchObject({ verb: 'history', word: undefined });
  });

  test.each([
    ['reject 1a2b3c4d not now, <@U0BOB|bob> is on it', 'reject', '1a2b3c4d', 'not now, @bob is on it'],
    ['approve 1a2b3c4d', 'approve', '1a2b3c4d', undefined],
    ['Approve 1a2b3c4d go ahead', 'approve', '1a2b3c4d', 'go ahead'],
    ['why 1a2b3c4d', 'why', '1a2b3c4d', undefined],
    ['cancel reason=“too late” 1a2b3c4d', 'cancel', '1a2b3c4d', 'too late'],
  ])('takes the words behind the id as the reason: %s', (text, verb, word, reason) => {
    expect(parse(text)).toEqual({ kind: 'verb', verb, word, reason, durationMs: undefined });
  });

  test.each([
    ['halt', {}, undefined, undefined],
    ['halt the disks fill up for 2h', {}, 2 * HOUR_MS, 'the disks fill up'],
    ['halt tag=web for 30m reason="a release"', { tag: 'web' }, HOUR_MS / 2, 'a release'],
    ['HALT playbook=clear-logs it deletes too much', { playbook: 'clear-logs' }, undefined, 'it deletes too much'],
  ])('knows what is halted, how long and why: %s', (text, named, durationMs, reason) => {
    expect(parse(text)).toEqual({ kind: 'verb', verb: 'halt', word: undefined, named, reason, durationMs });
  });

  test.each([
    ['pause web-1', undefined, undefined],
    ['pause web-1 for 2h', 2 * HOUR_MS, undefined],
    ['pause web-1 for 2h a move of disks', 2 * HOUR_MS, 'a move of disks'],
    ['pause for 1h30m web-1 a move of disks', 1.5 * HOUR_MS, 'a move of disks'],
    ['pause web-1 For 2 Hours “a move of disks”', 2 * HOUR_MS, 'a move of disks'],
    ['pause web-1 a move of disks for 1 day', 24 * HOUR_MS, 'a move of disks'],
    ['pause web-1 for=90m reason="a move of disks"', 1.5 * HOUR_MS, 'a move of disks'],
    ['pause web-1 waiting for 3 new disks', undefined, 'waiting for 3 new disks'],
    ['pause web-1 for maintenance', undefined, 'for maintenance'],
    ['pause <http://web-1/|web-1> <#C0OPS|ops> asked', undefined, '#ops asked'],
  ])('knows how long a pause lasts and why: %s', (text, durationMs, reason) => {
    expect(parse(text)).toEqual({ kind: 'verb', verb: 'pause', word: 'web-1', reason, durationMs });
  });

  test('reads what Slack makes of people, channels and addresses, and takes nothing typed for it', () => {
    const typed =
      'clear-logs web-1 reason="<@U0BOB> <#C0OPS> <!here> <!subteam^S0SRE|@sre> <mailto:a@b.example|a@b.example> ' +
      '<https://runbook.example/7|the runbook> <https://runbook.example/8> &lt;@U0EVE|eve&gt;"';
    expect(parse(typed)).toMatchObject({
      reason: '@U0BOB #C0OPS @here @sre a@b.example https://runbook.example/7 https://runbook.example/8 <@U0EVE|eve>',
    });
  });

  test.each([
    ['restart-servise web-1', 'unknown_word', 'Did you mean "restart-service"'],
    ['aprove 123', 'unknown_word', 'Did you mean "approve"'],
    ['restart-service', 'missing_server', 'SERVER'],
    ['restart-service web-1 nginx', 'extra_word', '"nginx"'],
    ['restart-service web-1 service=a service=b', 'duplicate_param', '"service"'],
    ['restart-service web-1 a_b=1 a-b=2', 'duplicate_param', '"a-b"'],
    ['restart-service web-1 =x', 'malformed_pair', '"=x"'],
    ['restart-service web-1 service="nginx', 'open_quote', 'not closed'],
    ['service=nginx', 'missing_playbook', 'PLAYBOOK'],
    ['show', 'missing_word', 'show ID'],
    ['pending now', 'extra_word', '"now"'],
    ['web-1 restart-servise', 'unknown_word', 'Did you mean "restart-service"'],
    ['pause web-1 reasn=x', 'unknown_param', 'Did you mean "reason"'],
    ['show 1a2b3c4d for=2h', 'unknown_param', '"for"'],
    ['show 1a2b3c4d please', 'extra_word', '"please"'],
    ['reject 1a2b3c4d no reason=“not now”', 'extra_word', '"no"'],
    ['pause web-1 for 2x', 'invalid_duration', '"2x"'],
    ['pause web-1 for -1m', 'invalid_duration', '"-1m"'],
    ['pause web-1 for 0h', 'invalid_duration', '"0h"'],
    ['pause web-1 for=soon', 'invalid_duration', '"soon"'],
    [`pause web-1 for ${'9'.repeat(9)}d`, 'invalid_duration', 'how long'],
    [`help ${'x'.repeat(5_000)}`, 'too_long', '4000'],
  ])('is refused in one sentence: %.40s', (text, code, hint) => {
    const { code: told, message } = refusal(text);
    expect(told).toBe(code);
    expect(message).toContain(hint);
  });

  test('never ends in anything but a meaning or one sentence', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        try {
          expect(['form', 'verb', 'request']).toContain(parse(text).kind);
        } catch (error) {
          expect(error).toBeInstanceOf(MedicError);
          expect((error as Error).message.length).toBeLessThan(600);
        }
      }),
    );
  });
});
