import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Asker } from '../domain/principal.ts';
import type { Context } from '../services/context.ts';
import { enrollTotp } from '../services/totp/enroll-totp.ts';
import { makeTotpCode } from '../services/totp/totp-code.ts';

/** The phones of the people who approve in the sandbox: their codes stand beside the workspace. */
export interface Authenticators {
  /** A line for each person, with the code that counts now. */
  lines(): string[];
}

const PEOPLE = ['bob', 'cid', 'mia'];
const SHOWN_IN = /(?=.{3}$)/; // 123 456, as a phone shows it

/**
 * Enrols them at the first start and keeps their secrets in `file`, as their phones would. Whoever is no principal of
 * this configuration has none.
 */
export async function keepAuthenticators(input: {
  ctx: Context;
  operator: Asker;
  file: string;
}): Promise<Authenticators> {
  const { ctx, operator, file } = input;
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
  const { principals } = ctx.config.current();
  for (const principal of PEOPLE.filter((name) => principals.has(name) && kept[name] === undefined)) {
    kept[principal] = (await enrollTotp(ctx, operator, { principal, isReplacing: true })).secret;
  }
  writeFileSync(`${file}.tmp`, JSON.stringify(kept, null, 2), { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
  return {
    lines: () =>
      Object.entries(kept).map(
        ([name, secret]) => `${name}: ${makeTotpCode({ secret, nowMs: Date.now() }).replace(SHOWN_IN, ' ')}`,
      ),
  };
}
