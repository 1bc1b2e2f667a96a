import type { Database } from '../../db/orm.ts';

const AT_ONCE = 6; // of the ten connections: outside of turns heartbeats only read single rows, so people find one

/** At most so many pieces of work at a time; what is pressing goes before what has time, each kind in its order. */
export interface Turns {
  take<T>(work: () => Promise<T>, options: { hasTime: boolean }): Promise<T>;
}

export function createTurns(atOnce: number): Turns {
  const pressing: (() => void)[] = [];
  const patient: (() => void)[] = [];
  let busy = 0;
  return {
    take: async (work, { hasTime }) => {
      if (busy < atOnce) busy += 1;
      else await new Promise<void>((begin) => (hasTime ? patient : pressing).push(begin));
      try {
        return await work();
      } finally {
        const next = pressing.shift() ?? patient.shift();
        if (next === undefined) busy -= 1;
        else next();
      }
    },
  };
}

const turns = new WeakMap<Database, Turns>();

/**
 * Those of the heartbeats of one process: a thousand agents that call in together wait here, and not in the queue for
 * the database, where who waits too long is turned away and people would wait behind them.
 */
export function heartbeatTurns(database: Database): Turns {
  const known = turns.get(database) ?? createTurns(AT_ONCE);
  turns.set(database, known);
  return known;
}
