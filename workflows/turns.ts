import { patched } from '@temporalio/workflow';

/** Runs what it is given, one after another. */
export type TakeTurn = <T>(write: () => Promise<T>) => Promise<T>;

/**
 * One local activity at a time. Of two that are under way together, a replay sees both ends in one moment, where the
 * first run saw one and acted on it before the other: the commands then come in another order, Temporal calls the
 * workflow nondeterministic, and no worker can ever carry it on.
 *
 * Runs that were in flight before this rule keep their order: the mark is made only where somebody has to wait.
 */
export function createTurns(): TakeTurn {
  let underWay = 0;
  let last: Promise<unknown> = Promise.resolve();
  return async (write) => {
    const mustWait = underWay > 0 && patched('one-write-at-a-time');
    underWay += 1;
    const turn = mustWait ? last.then(write) : write();
    last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      underWay -= 1;
    }
  };
}
