import { expect, test } from '@jest/globals';
import type { HaltReach } from '../../domain/halt.ts';
import { describeRelease } from '../../domain/halt.ts';

const all: HaltReach = { scope: 'all', value: null };
const web: HaltReach = { scope: 'tag', value: 'web' };
const db: HaltReach = { scope: 'tag', value: 'db' };
const restart: HaltReach = { scope: 'playbook', value: 'restart-service' };
const check: HaltReach = { scope: 'playbook', value: 'check-service' };

test.each<[HaltReach, HaltReach[], string]>([
  [all, [], 'Everything may start again.'],
  [restart, [check], 'The playbook restart-service may start again.'],
  [
    restart,
    [all],
    'The playbook restart-service does not start yet, as another halt stands: Everything is halted (7).',
  ],
  [
    restart,
    [restart],
    'The playbook restart-service does not start yet, as another halt stands: The playbook restart-service is frozen (7).',
  ],
  [
    all,
    [web, check],
    'Everything may start again, but another halt stands: Everything on servers tagged "web" is frozen (7), The playbook check-service is frozen (8).',
  ],
  [
    web,
    [db, restart, check, db, db],
    'Everything on servers tagged "web" may start again, but another halt stands: Everything on servers tagged "db" is frozen (7), The playbook restart-service is frozen (8), The playbook check-service is frozen (9), and 2 more.',
  ],
])('the lift of %j, while %j stand, says what of it still stands', (lifted, standing, told) => {
  const numbered = standing.map((reach, at) => ({ ...reach, id: 7 + at }));
  expect(describeRelease(lifted, numbered)).toBe(told);
});
