import type { HaltRow } from '../../db/repositories/halt.repository.ts';
import { coversServer, describeReach } from '../../domain/halt.ts';
import type { HaltScope } from '../../domain/halt.ts';
import { writeTime } from '../../domain/sentence.ts';

/** A halt as every way out shows it (contract §4). */
export interface HaltView {
  id: number;
  scope: HaltScope;
  /** The tag or the playbook; null where everything is halted. */
  value: string | null;
  reason: string;
  declaredBy: string;
  declaredVia: string;
  declaredAt: Date;
  /** When it ends by itself. */
  until: Date | null;
  /** `system` where it ended by itself. */
  liftedBy: string | null;
  liftedVia: string | null;
  liftedAt: Date | null;
  liftReason: string | null;
  /** Actions that waited and were cancelled at the lift. */
  voided: number;
}

export function toHaltView(row: HaltRow): HaltView {
  return {
    id: row.id,
    scope: row.scope,
    value: row.value,
    reason: row.reason,
    declaredBy: row.declared_by,
    declaredVia: row.declared_via,
    declaredAt: row.declared_at,
    until: row.until,
    liftedBy: row.lifted_by,
    liftedVia: row.lifted_via,
    liftedAt: row.lifted_at,
    liftReason: row.lift_reason,
    voided: row.voided,
  };
}

/** The widest of those that let nothing at all start on a server with these tags; null where none does. */
export function findServerHalt(rows: readonly HaltRow[], tags: readonly string[]): HaltView | null {
  const covering = rows.filter((row) => coversServer(row, tags));
  const widest = covering.find(({ scope }) => scope === 'all') ?? covering[0];
  return widest === undefined ? null : toHaltView(widest);
}

/** Who, since when, why and until when, in one sentence for somebody whom it stops. */
export function describeHalt(halt: HaltView): string {
  const { declaredBy, declaredAt, reason, until } = halt;
  const end = until === null ? `until somebody lifts it (${halt.id})` : `until ${writeTime(until)}`;
  return `${describeReach(halt)} by ${declaredBy} since ${writeTime(declaredAt)}, ${end}: ${reason}`;
}
