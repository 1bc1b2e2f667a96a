import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { verifyCommand } from '../../protocol/command-jws.ts';
import {
  parseEnrollRequest,
  parseEnrollResponse,
  parseHeartbeatRequest,
  parseHeartbeatResponse,
  parseResult,
} from '../../protocol/messages.ts';
import { isRecord } from '../../protocol/shape.ts';

/**
 * Messages as version 0.1.0 sent them. They are never edited and never recorded anew: agents of that age are out there,
 * and so are control planes.
 */
const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/protocol/version-1.json', import.meta.url), 'utf8'),
) as Record<'enrolment' | 'heartbeat', Record<'request' | 'response', Record<string, unknown>>> & { command: object };

const MESSAGES = [
  ['an enrolment', recorded.enrolment.request, parseEnrollRequest],
  ['the answer to an enrolment', recorded.enrolment.response, parseEnrollResponse],
  ['a heartbeat', recorded.heartbeat.request, parseHeartbeatRequest],
  ['the answer to a heartbeat', recorded.heartbeat.response, parseHeartbeatResponse],
] as const;

/** As a later version may say it: with a field of its own in every object. */
function grown(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(grown);
  if (!isRecord(message)) return message;
  const fields = Object.entries(message).map(([name, value]) => [name, grown(value)]);
  return { ...Object.fromEntries(fields), x_later: { deep: [1, null, 'word'] } };
}

describe('a message recorded from version 0.1.0', () => {
  test.each(MESSAGES)('is read today as it was: %s', (_what, message, parse) => {
    expect(parse(message)).toEqual({ isValid: true, value: message });
  });

  test.each(MESSAGES)('is read the same with fields that nobody knows yet: %s', (_what, message, parse) => {
    const { results, ...known } = message as { results?: unknown };
    const reading = parse({ ...(grown(known) as object), ...(results === undefined ? {} : { results }) });
    expect(reading).toEqual({ isValid: true, value: message });
  });

  test.each(['running', 'acked', 'protocol', 'session', 'server_time', 'commands', 'command_keys'])(
    'is refused where the known field %s is of another kind',
    (name) => {
      const readings = MESSAGES.filter(([, message]) => name in message).map(([, message, parse]) => {
        return parse({ ...message, [name]: false }).isValid;
      });
      expect(readings).not.toEqual([]);
      expect(readings).not.toContain(true);
    },
  );

  test('holds results that are read one by one, grown or not', () => {
    const { results } = recorded.heartbeat.request as { results: unknown[] };
    expect(results).toHaveLength(2);
    for (const result of results) {
      expect(parseResult(result)).toEqual({ isValid: true, value: result });
      expect(parseResult(grown(result))).toEqual({ isValid: true, value: result });
    }
  });

  test('holds a command whose signature still holds', async () => {
    const { commands, command_keys } = recorded.heartbeat.response;
    const keys = parseHeartbeatResponse(recorded.heartbeat.response);
    if (!keys.isValid || keys.value.command_keys === undefined) throw new Error('unreachable');
    expect(command_keys).toEqual(keys.value.command_keys);
    const [jws] = commands as string[];
    const reading = await verifyCommand({ jws: String(jws), keys: keys.value.command_keys });
    expect(reading).toMatchObject({ status: 'verified', payload: recorded.command });
  });
});
