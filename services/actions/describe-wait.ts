import { describeHold } from '../../domain/limits.ts';
import { describeHalt } from '../halts/halt-view.ts';
import type { ActionView } from './action-view.ts';

/** What holds up its approval or its start, as a sentence; null where nothing but people does. */
export function describeWait({ halt, status, nextAttemptAt, queuedBehind, heldBy }: ActionView): string | null {
  const isStarted = status === 'executing' && nextAttemptAt === null;
  if (halt !== null && !isStarted) return describeHalt(halt);
  if (queuedBehind !== null && heldBy?.code !== 'held_back') {
    const { id, playbook, ahead } = queuedBehind;
    const others = ahead > 1 ? `, ${ahead} actions in all` : '';
    return `It is queued behind ${playbook} (${id.slice(0, 8)}) on its server${others}.`;
  }
  return heldBy === null ? null : `It waits ${describeHold(heldBy)}.`;
}
