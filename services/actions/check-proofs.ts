import type { FieldError, MedicError } from '../../domain/errors.ts';
import { InvalidInputError, NotAllowedError, TooManyRequestsError, UnavailableError } from '../../domain/errors.ts';
import type { Proof } from '../../domain/policy.ts';
import { listProofs } from '../../domain/policy.ts';
import type { TotpUse } from '../totp/use-totp.ts';
import type { ActionView } from './action-view.ts';

export interface GivenProofs {
  confirmServer?: string | undefined;
  reason: string | null;
  totp?: string | undefined;
  breakGlass?: boolean | undefined;
}

/**
 * What an approval has to carry beside the yes (listProofs), but for the code's worth. Every field that is missing
 * or wrong is told at once. Throws InvalidInputError with the first one's code: `confirm_server_missing`,
 * `confirm_server_mismatch`, `reason_missing`, `totp_missing`.
 */
export function checkProofs(action: Pick<ActionView, 'risk' | 'server'>, given: GivenProofs): void {
  const wanted = listProofs({ risk: action.risk, isBreakGlass: given.breakGlass === true });
  const fields = wanted.flatMap((proof) => findProblem(proof, action, given) ?? []);
  const [first] = fields;
  if (first === undefined) return;
  throw new InvalidInputError(fields.map(({ message }) => message).join(' '), { code: first.code, fields });
}

function findProblem(proof: Proof, action: Pick<ActionView, 'risk' | 'server'>, given: GivenProofs): FieldError | null {
  const why = given.breakGlass === true && proof === 'reason' ? 'breaking the glass' : `risk ${action.risk}`;
  switch (proof) {
    case 'confirm_server': {
      const typed = given.confirmServer?.trim() ?? '';
      if (typed === action.server) return null;
      if (typed === '') return wrong(proof, 'confirm_server_missing', `Type the server’s name: ${why} asks for it.`);
      return wrong(proof, 'confirm_server_mismatch', 'This is not the name of the server on the card.');
    }
    case 'reason':
      return given.reason === null ? wrong(proof, 'reason_missing', `Give a reason: ${why} asks for it.`) : null;
    case 'totp': {
      const isGiven = (given.totp?.trim() ?? '') !== '';
      return isGiven ? null : wrong(proof, 'totp_missing', `Give a one-time code: ${why} asks for it.`);
    }
  }
}

function wrong(path: Proof, code: string, message: string): FieldError {
  return { path, code, message };
}

/** Why a one-time code was refused, for the person who gave it. */
export function describeTotpRefusal(use: Exclude<TotpUse, { isGood: true }>, nowMs: number): MedicError {
  const { code, lockedUntil } = use;
  const refused = (message: string): NotAllowedError =>
    new NotAllowedError(message, { code, fields: [{ path: 'totp', message, code }] });
  switch (code) {
    case 'totp_not_enrolled':
      return refused('You have no one-time codes yet: whoever runs Medic makes them with `medic principal totp`.');
    case 'totp_wrong':
      return refused('This one-time code is not good now: wait for the next one, and check the clock of your phone.');
    case 'totp_reused':
      return refused('This one-time code was used before: wait for the next one.');
    case 'totp_locked': {
      const leftS = Math.max(1, Math.ceil(((lockedUntil?.getTime() ?? nowMs) - nowMs) / 1000));
      const message = `Too many wrong codes: your one-time codes are locked for ${Math.ceil(leftS / 60)} min.`;
      const fields = [{ path: 'totp', message, code }];
      return new TooManyRequestsError(message, { code, fields, details: { retry_after_s: leftS } });
    }
    case 'totp_unavailable':
      return totpUnavailable();
  }
}

/** No code can be judged: MEDIC_SECRETS_KEY is missing here, or is not the one that the secret was sealed under. */
export function totpUnavailable(): UnavailableError {
  const message =
    'One-time codes cannot be judged here now: MEDIC_SECRETS_KEY is missing or another one. Nothing was done.';
  const code = 'totp_unavailable';
  return new UnavailableError(message, { code, fields: [{ path: 'totp', message, code }] });
}
