import { ALL_SERVERS, WAKE_CHANNEL } from '../../db/announce.ts';
import type { Tx } from '../../db/orm.ts';
import { transact } from '../../db/orm.ts';
import { insertKeySet, listKeySets, lockKeySets } from '../../db/repositories/command-key.repository.ts';
import { toJson } from '../../db/tables.ts';
import { ConflictError, NotFoundError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { signKeySet } from '../../protocol/key-set.ts';
import { MAX_COMMAND_KEYS } from '../../protocol/limits.ts';
import type { CommandKey } from '../../protocol/messages.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import { readTrustedKeys } from './command-keys.ts';
import type { TrustedKeys } from './command-keys.ts';

/** What a change needs: a signature, and the database. */
type KeyContext = Pick<Context, 'database' | 'signer'>;

export interface CommandKeyView {
  kid: string;
  /** `signing`: this process signs with it. `accepted`: agents run what it signs. `retired`: not any more. */
  state: 'signing' | 'accepted' | 'retired';
  /** Null where it was there before any change. */
  addedAt: Date | null;
  retiredAt: Date | null;
}

/**
 * From now on agents run what this key signs, too: they hear of it with their next answer, before any command in it, so
 * that the control plane may sign with it at once. Added before: nothing changes. Throws ConflictError `too_many_keys`,
 * `key_was_retired`; UnavailableError `retired_signing_key`.
 */
export async function addCommandKey(ctx: KeyContext, asker: Asker, key: CommandKey): Promise<CommandKeyView[]> {
  authorise(asker, 'keys.manage');
  await transact(ctx.database, 'command_keys.add', async (tx) => {
    await lockKeySets(tx);
    const trusted = await readTrustedKeys(ctx.signer, tx);
    if (trusted.keys.some(({ kid }) => kid === key.kid)) return;
    const wasKnown = (await listKeySets(tx)).some(({ keys }) => keys.some(({ kid }) => kid === key.kid));
    if (wasKnown) {
      throw new ConflictError('This key was retired: make a new one.', { code: 'key_was_retired' });
    }
    if (trusted.keys.length >= MAX_COMMAND_KEYS) {
      const message = `Agents accept ${MAX_COMMAND_KEYS} keys already: retire one first.`;
      throw new ConflictError(message, { code: 'too_many_keys' });
    }
    await makeSet(ctx, tx, { trusted, keys: [...trusted.keys, key] });
    tx.audit({
      actor: asker.principal.name,
      via: asker.via,
      event: 'command_key.added',
      subject: { type: 'command_key', id: key.kid },
      data: { kid: key.kid, vouched_by: ctx.signer.kid, serial: trusted.serial + 1 },
    });
  });
  return listCommandKeys(ctx, asker);
}

/**
 * From now on agents refuse what this key signs, as soon as they hear of it. Never the one that signs. Throws
 * NotFoundError `command_key_not_found`, ConflictError `key_in_use`; UnavailableError `retired_signing_key`.
 */
export async function retireCommandKey(ctx: KeyContext, asker: Asker, kid: string): Promise<CommandKeyView[]> {
  authorise(asker, 'keys.manage');
  if (kid === ctx.signer.kid) {
    const message = 'This is the key of MEDIC_SIGNING_KEY: set that to another key that agents accept first.';
    throw new ConflictError(message, { code: 'key_in_use' });
  }
  await transact(ctx.database, 'command_keys.retire', async (tx) => {
    await lockKeySets(tx);
    const trusted = await readTrustedKeys(ctx.signer, tx);
    const left = trusted.keys.filter((key) => key.kid !== kid);
    if (left.length === trusted.keys.length) {
      const message = `Agents accept no key ${JSON.stringify(kid.slice(0, 80))}: \`medic keys list\` shows which they do.`;
      throw new NotFoundError(message, { code: 'command_key_not_found' });
    }
    await makeSet(ctx, tx, { trusted, keys: left });
    tx.audit({
      actor: asker.principal.name,
      via: asker.via,
      event: 'command_key.retired',
      subject: { type: 'command_key', id: kid },
      data: { kid, vouched_by: ctx.signer.kid, serial: trusted.serial + 1 },
    });
  });
  return listCommandKeys(ctx, asker);
}

/** The oldest first. */
export async function listCommandKeys({ database, signer }: KeyContext, asker: Asker): Promise<CommandKeyView[]> {
  authorise(asker, 'keys.manage');
  const views = new Map<string, CommandKeyView>();
  for (const { keys, made_at: at, serial } of await listKeySets(database)) {
    const isFirst = serial === 1;
    for (const [index, { kid }] of keys.entries()) {
      const wasThere = isFirst && index < keys.length - 1; // the first change adds one to what was there
      const known = views.get(kid) ?? { kid, state: 'accepted', addedAt: wasThere ? null : at, retiredAt: null };
      views.set(kid, known);
    }
    for (const view of views.values()) {
      const isGone = !keys.some(({ kid }) => kid === view.kid);
      if (isGone && view.retiredAt === null) views.set(view.kid, { ...view, state: 'retired', retiredAt: at });
    }
  }
  const { kid } = signer;
  const own = views.get(kid) ?? { kid, state: 'signing', addedAt: null, retiredAt: null };
  if (own.state !== 'retired') views.set(kid, { ...own, state: 'signing' });
  return [...views.values()];
}

async function makeSet(
  { signer }: KeyContext,
  tx: Tx,
  { trusted, keys }: { trusted: TrustedKeys; keys: readonly CommandKey[] },
): Promise<void> {
  const set = { serial: trusted.serial + 1, keys: [...keys], at: new Date().toISOString() };
  const jws = await signKeySet({ set, privateKey: signer.privateKey, kid: signer.kid });
  await insertKeySet(tx, { serial: set.serial, keys: toJson(keys), jws });
  tx.notify(WAKE_CHANNEL, ALL_SERVERS);
}
