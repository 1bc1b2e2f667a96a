import { transact } from '../../db/orm.ts';
import { lockTotp, saveTotp } from '../../db/repositories/totp.repository.ts';
import { ConfigurationError, ConflictError, InvalidInputError } from '../../domain/errors.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import type { Asker } from '../../domain/principal.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { sealSecret } from './sealed-secret.ts';
import { makeTotpSecret, totpUri } from './totp-code.ts';

export interface TotpEnrolment {
  principal: string;
  /** Base32; told here and never again. */
  secret: string;
  /** `otpauth://…`, which holds the secret. */
  uri: string;
}

/**
 * A new secret for the principal's one-time codes. Throws InvalidInputError `unknown_principal`; ConflictError
 * `totp_enrolled` where there is one and `isReplacing` is not said; ConfigurationError `missing_setting`.
 */
export async function enrollTotp(
  ctx: Pick<Context, 'database' | 'config' | 'secretsKey'>,
  asker: Asker,
  input: { principal: string; isReplacing: boolean },
): Promise<TotpEnrolment> {
  authorise(asker, 'tokens.manage');
  const { principal, isReplacing } = input;
  checkPrincipal(ctx, principal);
  const key = ctx.secretsKey;
  if (key === null) {
    const message = 'MEDIC_SECRETS_KEY is not set: set it to 32 bytes in base64, made with `openssl rand -base64 32`.';
    throw new ConfigurationError(message, { code: 'missing_setting' });
  }
  const secret = makeTotpSecret();
  await transact(ctx.database, 'totp.enroll', async (tx) => {
    const earlier = await lockTotp(tx, principal);
    if (earlier !== null && !isReplacing) {
      const message = `${principal} has one-time codes since ${earlier.enrolled_at.toISOString()}: --replace ends those and makes new ones.`;
      throw new ConflictError(message, { code: 'totp_enrolled' });
    }
    await saveTotp(tx, { principal, secret: sealSecret({ key, owner: principal, secret }) });
    tx.audit({
      actor: asker.principal.name,
      via: asker.via,
      event: 'principal.totp_enrolled',
      subject: { type: 'principal', id: principal },
      data: { is_replaced: earlier !== null },
    });
  });
  return { principal, secret, uri: totpUri({ principal, secret }) };
}

function checkPrincipal(ctx: Pick<Context, 'config'>, name: string): void {
  const { principals } = ctx.config.current();
  if (principals.has(name)) return;
  const hint = suggestNearest(name, [...principals.keys()]);
  throw new InvalidInputError(`There is no principal ${JSON.stringify(name.slice(0, 64))}.${hint}`, {
    code: 'unknown_principal',
  });
}
