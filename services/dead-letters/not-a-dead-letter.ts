import { ConflictError } from '../../domain/errors.ts';
import type { ActionView } from '../actions/action-view.ts';

export function notADeadLetter(action: Pick<ActionView, 'id' | 'status' | 'deadLetter'>): ConflictError {
  const { id, status, deadLetter } = action;
  const words = {
    replayed: 'was replayed already',
    dismissed: 'was dismissed already',
    open: 'was replayed or dismissed by somebody just now',
  };
  const what = deadLetter === null ? 'was not given up on, so there is nothing to replay' : words[deadLetter];
  const message = `The action ${id.slice(0, 8)} ${what}.`;
  return new ConflictError(message, { code: 'not_a_dead_letter', details: { status, dead_letter: deadLetter } });
}
