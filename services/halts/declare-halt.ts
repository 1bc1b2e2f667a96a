import { tellChannel, wakeCovered } from '../../db/announce.ts';
import { transact } from '../../db/orm.ts';
import type { Tx } from '../../db/orm.ts';
import { findHaltByRequestKey, insertHalt, lockHalts } from '../../db/repositories/halt.repository.ts';
import type { HaltRow } from '../../db/repositories/halt.repository.ts';
import { hasTag, listTags } from '../../db/repositories/server.repository.ts';
import type { FieldError } from '../../domain/errors.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { HaltReach } from '../../domain/halt.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import type { Asker } from '../../domain/principal.ts';
import { findPlaybook } from '../../playbook/catalog.ts';
import { readReason } from '../actions/reason.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import type { HaltView } from './halt-view.ts';
import { toHaltView } from './halt-view.ts';
import { showHalt } from './show-halts.ts';

const LONGEST_HALT_MS = 366 * 86_400_000; // beyond a year somebody mistyped the year
const OLDEST_END_MS = 1_000; // an end that has all but come would halt nothing

export interface HaltInput {
  reason: string;
  until?: Date | undefined;
  /** At most one of the two; without either everything is halted. */
  tag?: string | undefined;
  playbook?: string | undefined;
  /** The same key twice is one halt: the second answers with what the first declared. */
  requestKey?: string | undefined;
}

/**
 * From its commit on nothing that it covers is signed, and nobody can ask for it or approve it; agents that are
 * connected hear of it at once. What somebody approved before, or what needs nobody, may still become `approved`: it
 * waits, and is void at the lift. What runs goes on. Several halts may stand at once, each until it is lifted.
 *
 * Throws NotAllowedError `role_missing`; InvalidInputError `reason_missing`, `reason_too_long`, `invalid_until`,
 * `unknown_tag`, `unknown_playbook`, `two_scopes`.
 */
export async function declareHalt(ctx: Context, asker: Asker, input: HaltInput): Promise<HaltView> {
  authorise(asker, 'halts.declare');
  const reason = readReason(input.reason);
  if (reason === null) throw invalid('reason', 'reason_missing', 'A halt needs a reason, for those whom it stops.');
  checkUntil(input.until);
  const reach = await readReach(ctx, input);
  const row = await transact(ctx.database, 'halt.declare', async (tx): Promise<HaltRow> => {
    await lockHalts(tx);
    const earlier = await findEarlier(tx, input.requestKey);
    if (earlier !== null) return earlier;
    const declared = await insertHalt(tx, {
      ...reach,
      reason,
      until: input.until ?? null,
      declared_by: asker.principal.name,
      declared_via: asker.via,
      request_key: input.requestKey ?? null,
    });
    tx.audit({
      actor: asker.principal.name,
      via: asker.via,
      event: 'halt.declared',
      subject: { type: 'halt', id: String(declared.id) },
      data: { ...reach, reason, until: input.until?.toISOString() ?? null },
    });
    await tellChannel(tx, { topic: 'halt', halt_id: declared.id, event: 'declared' });
    wakeCovered(tx, declared);
    return declared;
  });
  void showHalt(ctx, row); // never throws; the pump is behind it
  return toHaltView(row);
}

/** Under the lock: of two at once the second finds what the first declared. */
function findEarlier(tx: Tx, requestKey: string | undefined): Promise<HaltRow | null> {
  return requestKey === undefined ? Promise.resolve(null) : findHaltByRequestKey(tx, requestKey);
}

/** A tag that no server bears, or a playbook that does not exist, is a mistyped one: it would halt nothing. */
async function readReach(ctx: Context, { tag, playbook }: HaltInput): Promise<HaltReach> {
  if (tag !== undefined && playbook !== undefined) {
    throw invalid('playbook', 'two_scopes', 'A halt is for a tag or for a playbook: declare two.');
  }
  if (playbook !== undefined) return { scope: 'playbook', value: findPlaybook(ctx.config.current(), playbook).name };
  if (tag === undefined) return { scope: 'all', value: null };
  if (!tag.includes('\0') && (await hasTag(ctx.database, tag))) return { scope: 'tag', value: tag };
  const hint = suggestNearest(tag, await listTags(ctx.database));
  throw invalid('tag', 'unknown_tag', `No server is tagged ${JSON.stringify(tag.slice(0, 64))}.${hint}`);
}

function checkUntil(until: Date | undefined): void {
  if (until === undefined) return;
  const leftMs = until.getTime() - Date.now();
  if (leftMs > OLDEST_END_MS && leftMs <= LONGEST_HALT_MS) return;
  throw invalid('until', 'invalid_until', 'until must be a time in the future, at most a year ahead.');
}

function invalid(path: string, code: string, message: string): InvalidInputError {
  const field: FieldError = { path, message, code };
  return new InvalidInputError(message, { code, fields: [field] });
}
