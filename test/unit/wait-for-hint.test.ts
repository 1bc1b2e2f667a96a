import { describe, expect, test } from '@jest/globals';
import { ALL_SERVERS } from '../../db/announce.ts';
import { listenForHints } from '../../services/agents/wait-for-hint.ts';

/** What a heartbeat of the server `s1` with these tags takes each of the payloads for; missing: for nothing. */
async function hear(tags: readonly string[] | null, payloads: readonly (string | null)[]): Promise<unknown[]> {
  const told: ((payload: string | null) => void)[] = [];
  const listen = (_channel: string, onWake: (payload: string | null) => void) => {
    told.push(onWake);
    return () => undefined;
  };
  const hints = listenForHints({ wakes: { listen, tell: () => undefined, stop: () => Promise.resolve() } }, 's1');
  const heard: unknown[] = [];
  for (const payload of payloads) {
    const hint = hints.next(tags);
    for (const onWake of told) onWake(payload);
    heard.push(await Promise.race([hint, Promise.resolve('nothing')]));
  }
  return heard;
}

describe('a held heartbeat', () => {
  test('is woken for its own server, and for what many share', async () => {
    expect(await hear(['web'], ['s1', ALL_SERVERS, '#web', null])).toEqual(['own', 'many', 'many', null]);
  });

  test('sleeps on for other servers, and for the halt of a tag that it does not bear', async () => {
    expect(await hear(['web'], ['s2', '#db', '#we'])).toEqual(['nothing', 'nothing', 'nothing']);
    expect(await hear([], ['#web'])).toEqual(['nothing']);
  });

  test('is woken by the halt of any tag while its own are not known', async () => {
    expect(await hear(null, ['#db', 's2'])).toEqual(['many', 'nothing']);
  });
});
