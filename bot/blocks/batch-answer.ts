import type { BatchOutcome } from '../../services/actions/decide-batch.ts';
import { createAnswer } from './answer.ts';
import type { Message } from './message.ts';

/** `12 approved, 1 already approved by bob.` */
export function createBatchAnswer(kind: 'approve' | 'reject', outcome: BatchOutcome): Message {
  const done = kind === 'approve' ? 'approved' : 'rejected';
  const counts: (readonly [number, string])[] = [
    [outcome.applied, done],
    [outcome.recorded, 'recorded: Temporal is away, they take effect once it is back'],
    ...[...outcome.others].map(([why, count]) => [count, why] as const),
  ];
  const told = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return createAnswer(told.length === 0 ? `Nothing was ${done}: none of them waits any more.` : `${told.join(', ')}.`);
}
