import type { Tx } from '../../db/orm.ts';
import { lockTotp, updateTotp } from '../../db/repositories/totp.repository.ts';
import type { TotpRow } from '../../db/repositories/totp.repository.ts';
import type { Asker } from '../../domain/principal.ts';
import { openSecret } from './sealed-secret.ts';
import { findTotpStep } from './totp-code.ts';

const MOST_TRIES = 5; // of a million codes, three good at a time: one chance in 67,000 a lock
const LOCK_MS = 15 * 60_000; // guessing all day succeeds once in two years on average

export type TotpRefusal = 'totp_not_enrolled' | 'totp_unavailable' | 'totp_locked' | 'totp_wrong' | 'totp_reused';

export type TotpUse = { isGood: true } | { isGood: false; code: TotpRefusal; lockedUntil: Date | null };

/**
 * Judges a one-time code and uses it up, in the caller's transaction, which must commit also where the code is no
 * good: the try counts. A code older than the last good one is no good any more. The fifth wrong one in a row locks
 * the principal's codes for 15 minutes, good ones too. Where `isRepeated`, asked under the lock, says that the same
 * decision was stored meanwhile, its code is good again.
 */
export async function useTotp(
  tx: Tx,
  input: { asker: Asker; code: string; key: Buffer; nowMs: number; isRepeated(): Promise<boolean> },
): Promise<TotpUse> {
  const { asker, code, key, nowMs } = input;
  const owner = asker.principal.name;
  const row = await lockTotp(tx, owner);
  if (await input.isRepeated()) return { isGood: true };
  if (row === null) return refuse('totp_not_enrolled');
  if (row.locked_until !== null && row.locked_until.getTime() > nowMs) return refuse('totp_locked', row.locked_until);
  const secret = openSecret({ key, owner, sealed: row.secret });
  if (secret === null) return refuse('totp_unavailable');
  const step = findTotpStep({ secret, code, nowMs });
  if (step === null) return countWrong(tx, { asker, row, nowMs });
  if (row.last_step !== null && step <= row.last_step) return refuse('totp_reused');
  await updateTotp(tx, owner, { last_step: step, failures: 0, locked_until: null });
  return { isGood: true };
}

async function countWrong(tx: Tx, input: { asker: Asker; row: TotpRow; nowMs: number }): Promise<TotpUse> {
  const { asker, row, nowMs } = input;
  const failures = row.failures + 1;
  if (failures < MOST_TRIES) {
    await updateTotp(tx, row.principal, { failures });
    return refuse('totp_wrong');
  }
  const lockedUntil = new Date(nowMs + LOCK_MS);
  await updateTotp(tx, row.principal, { failures: 0, locked_until: lockedUntil });
  tx.audit({
    actor: row.principal,
    via: asker.via,
    event: 'principal.totp_locked',
    subject: { type: 'principal', id: row.principal },
    data: { tries: failures, until: lockedUntil.toISOString() },
  });
  return refuse('totp_locked', lockedUntil);
}

function refuse(code: TotpRefusal, lockedUntil: Date | null = null): TotpUse {
  return { isGood: false, code, lockedUntil };
}
