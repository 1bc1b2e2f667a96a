import type { CommandKeySetRow } from '../../db/repositories/command-key.repository.ts';
import { findNewestKeySet, listKeySets } from '../../db/repositories/command-key.repository.ts';
import type { Source } from '../../db/repositories/source.ts';
import { ConfigurationError, UnavailableError } from '../../domain/errors.ts';
import { MAX_KEY_CHANGES } from '../../protocol/limits.ts';
import type { CommandKey } from '../../protocol/messages.ts';
import type { CommandSigner, Context } from '../context.ts';

/**
 * The keys whose commands agents accept. A process signs with the one of its MEDIC_SIGNING_KEY alone; the others are
 * those it changes from or to. A change is a set that a key of the set before has signed, and none is ever taken back:
 *
 * no set: the signing key alone, until the first change.
 * the signing key is in the newest set: that set counts.
 * in an older one only: it is retired, and this process must not sign with it.
 * in none: it was set in place of a key that is lost. It counts alone, for agents that enrol from now on.
 */
export interface TrustedKeys {
  serial: number;
  keys: readonly CommandKey[];
  /** The sets are what agents follow; false where the signing key stands in none of them. */
  isOfSets: boolean;
}

/** Throws UnavailableError `retired_signing_key`: another process of this control plane may have the newer one. */
export async function readTrustedKeys(signer: CommandSigner, source: Source): Promise<TrustedKeys> {
  const newest = await findNewestKeySet(source);
  const own = signer.publicJwk;
  if (newest === null) return { serial: 0, keys: [own], isOfSets: false };
  if (hasKey(newest, own.kid)) return { serial: newest.serial, keys: newest.keys, isOfSets: true };
  if (!(await isRetired(source, own.kid))) return { serial: newest.serial, keys: [own], isOfSets: false };
  throw new UnavailableError(`${RETIRED} The control plane must be started with the newer key.`, {
    code: 'retired_signing_key',
  });
}

const RETIRED = 'MEDIC_SIGNING_KEY was retired: agents refuse what it signs.';

/** At the start of a process that signs. Throws ConfigurationError `retired_signing_key`. */
export async function checkSigner({
  database,
  signer,
  log,
}: Pick<Context, 'database' | 'signer' | 'log'>): Promise<void> {
  const newest = await findNewestKeySet(database);
  if (newest === null || hasKey(newest, signer.kid)) return;
  if (await isRetired(database, signer.kid)) {
    const message = `${RETIRED} Set it to the key that took its place; \`medic keys list\` shows which.`;
    throw new ConfigurationError(message, { code: 'retired_signing_key' });
  }
  log.error(
    { kid: signer.kid },
    'agents do not know this signing key: enrol them again, or go back to the old key and run `medic keys add`',
  );
}

/** What an answer to an agent tells that has the set `told`; undefined: an older agent, which says nothing of it. */
export interface KeyNews {
  command_keys?: CommandKey[];
  command_keys_proof?: string[];
}

/** Empty where there is none. An older agent is told each time, and takes the keys as it finds them. */
export async function readKeyNews(
  source: Source,
  input: { trusted: TrustedKeys; told: number | undefined },
): Promise<KeyNews> {
  const { trusted, told } = input;
  if (!trusted.isOfSets || (told ?? -1) >= trusted.serial) return {};
  const command_keys = [...trusted.keys];
  if (told === undefined) return { command_keys };
  const chain = (await listKeySets(source, { after: told })).map(({ jws }) => jws);
  return { command_keys, command_keys_proof: chain.slice(0, MAX_KEY_CHANGES) };
}

/** Also those that sign no more: what they signed can still be checked. */
export async function listEverTrusted(signer: CommandSigner, source: Source): Promise<CommandKey[]> {
  const all = [signer.publicJwk, ...(await listKeySets(source)).flatMap(({ keys }) => keys)];
  return [...new Map(all.map((key) => [key.kid, key])).values()];
}

export function hasKey(set: Pick<CommandKeySetRow, 'keys'>, kid: string): boolean {
  return set.keys.some((key) => key.kid === kid);
}

async function isRetired(source: Source, kid: string): Promise<boolean> {
  return (await listKeySets(source)).some((set) => hasKey(set, kid));
}
