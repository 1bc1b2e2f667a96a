import { InvalidInputError } from '../../domain/errors.ts';

/** An empty name is a slip of a script whose variable was not set: it never means all. Throws `no_targets`. */
export function refuseEmpty(path: string, value: string | undefined): void {
  if (value === undefined || value.trim() !== '') return;
  throw refuse(`${path} is empty, and that never means all: nothing was done.`, path);
}

/** What is to be done to many, and names none. Throws `no_targets`. */
export function refuseNone(path: string, targets: readonly unknown[]): void {
  if (targets.length === 0) throw refuse('This names no action that could be decided: nothing was done.', path);
}

function refuse(message: string, path: string): InvalidInputError {
  const code = 'no_targets';
  return new InvalidInputError(message, { code, fields: [{ path, message, code }] });
}
