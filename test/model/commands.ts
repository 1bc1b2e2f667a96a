import fc from 'fast-check';
import { HALT_SCOPES } from '../../domain/halt.ts';
import type { DecisionKind } from '../../domain/policy.ts';
import { dismiss, replay } from './dead-letter-steps.ts';
import { anyFault } from './fault-steps.ts';
import { declare, lift } from './halt-steps.ts';
import { decide, pause, request, unpause } from './people-steps.ts';
import type { RepairName } from './repairs.ts';
import { KINDS, PLAYBOOKS } from './repairs.ts';
import type { Step } from './step.ts';
import { soonAfter } from './step.ts';

const server = fc.constantFrom(0, 1);
const which = fc.nat({ max: 99 });
const playbook = fc.constantFrom(...(Object.keys(PLAYBOOKS) as RepairName[]));
const person = fc.constantFrom('ana', 'bob', 'cid', 'root');
const operator = fc.constantFrom('ana', 'bob');

/** People, faults and time, in the proportions of a bad day. */
export function anyStep(): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 8, arbitrary: asking(server) },
    { weight: 9, arbitrary: deciding('approve') },
    { weight: 2, arbitrary: deciding('reject') },
    { weight: 2, arbitrary: deciding('cancel') },
    { weight: 2, arbitrary: stopping(server) },
    { weight: 5, arbitrary: racing() },
    { weight: 3, arbitrary: server.map(unpause) },
    { weight: 9, arbitrary: which.map(lift) },
    { weight: 4, arbitrary: settling() },
    { weight: 14, arbitrary: anyFault({ server, which }) },
  );
}

function asking(on: fc.Arbitrary<number>): fc.Arbitrary<Step> {
  return fc.tuple(on, playbook, fc.constantFrom(...KINDS)).map(([index, name, kind]) => request({ index, name, kind }));
}

function deciding(kind: DecisionKind): fc.Arbitrary<Step> {
  const isTwice = kind === 'approve' ? fc.boolean() : fc.constant(false);
  return fc.tuple(which, person, isTwice).map(([at, who, twice]) => decide({ kind, at, who, isTwice: twice }));
}

function stopping(on: fc.Arbitrary<number>): fc.Arbitrary<Step> {
  const lastsMs = fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, fc.integer({ min: 1_100, max: 1_500 }));
  const halting = fc
    .tuple(fc.constantFrom(...HALT_SCOPES), on, playbook, lastsMs)
    .map(([scope, index, name, ms]) => declare({ scope, index, playbook: name, lastsMs: ms }));
  return fc.oneof({ weight: 3, arbitrary: on.map(pause) }, { weight: 1, arbitrary: halting });
}

/** What leads to a start, and what forbids it, on one server and so soon after it that either may come first. */
function racing(): fc.Arbitrary<Step> {
  const delayMs = fc.integer({ min: 0, max: 60 });
  return server.chain((index) => {
    const here = fc.constant(index);
    const first = fc.oneof({ weight: 3, arbitrary: asking(here) }, { weight: 1, arbitrary: deciding('approve') });
    return fc.tuple(first, stopping(here), delayMs).map(([one, stop, ms]) => soonAfter(one, stop, ms));
  });
}

function settling(): fc.Arbitrary<Step> {
  const replaying = fc.tuple(which, operator, fc.boolean()).map(([at, who, isTwice]) => replay({ at, who, isTwice }));
  const dismissing = fc.tuple(which, operator).map(([at, who]) => dismiss({ at, who }));
  return fc.oneof({ weight: 3, arbitrary: replaying }, { weight: 1, arbitrary: dismissing });
}
