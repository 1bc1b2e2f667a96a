import * as z from 'zod';
import { HALT_SCOPES } from '../../../domain/halt.ts';
import type { HaltView } from '../../../services/halts/halt-view.ts';
import { pageQuery, textOrNull, time, timeOrNull, toTime } from '../../schemas.ts';

export const haltId = z.strictObject({ id: z.string().max(128) });

export const haltsQuery = pageQuery.extend({
  standing: z.stringbool().optional().describe('Only those that were not lifted.'),
});

export const declareBody = z.strictObject({
  reason: z.string(),
  until: z.iso.datetime({ offset: true }).optional().describe('It is lifted by itself then.'),
  tag: z.string().max(200).optional().describe('Only on servers with this tag.'),
  playbook: z.string().max(200).optional().describe('Only this playbook, on every server.'),
});

export const liftBody = z.strictObject({ reason: z.string().optional() });

export const haltJson = z.object({
  id: z.string(),
  scope: z.enum(HALT_SCOPES),
  value: textOrNull.describe('The tag or the playbook; null where everything is halted.'),
  reason: z.string(),
  declared_by: z.string(),
  declared_via: z.string(),
  declared_at: time,
  until: timeOrNull,
  lifted_by: textOrNull.describe('Null while it stands; `system` where it ended by itself.'),
  lifted_via: textOrNull,
  lifted_at: timeOrNull,
  lift_reason: textOrNull,
  voided: z.number().int().describe('Actions that waited and were cancelled at the lift.'),
});

export function toHaltJson(view: HaltView): z.infer<typeof haltJson> {
  return {
    id: String(view.id),
    scope: view.scope,
    value: view.value,
    reason: view.reason,
    declared_by: view.declaredBy,
    declared_via: view.declaredVia,
    declared_at: view.declaredAt.toISOString(),
    until: toTime(view.until),
    lifted_by: view.liftedBy,
    lifted_via: view.liftedVia,
    lifted_at: toTime(view.liftedAt),
    lift_reason: view.liftReason,
    voided: view.voided,
  };
}
