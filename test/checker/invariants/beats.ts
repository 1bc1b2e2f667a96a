import type { Violation } from '../evidence.ts';
import type { Run } from '../run.ts';
import { collect } from '../run.ts';

/**
 * An agent that has heard of a halt begins nothing, and whoever tells it of one gives it nothing to begin. By the order
 * of its heartbeats, so that no clock is trusted.
 */
export function checkBeats({ evidence }: Run): Violation[] {
  const known = new Set<string>();
  return collect((say) => {
    for (const [index, { agent, isHalted, begun, told }] of (evidence.beats ?? []).entries()) {
      const where = `beats:${index + 1}`;
      for (const commandId of begun) {
        const isLate = isHalted && !known.has(`${agent} ${commandId}`);
        if (isLate) say('no_start_after_stop', where, `${agent} began ${commandId} when it had heard of a halt`);
        known.add(`${agent} ${commandId}`);
      }
      const isGiven = told !== null && told.isHalted && told.commands > 0;
      if (isGiven) say('no_start_after_stop', where, `${agent} was told of a halt, and of a command`);
    }
  });
}
