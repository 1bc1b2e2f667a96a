import type { ActionActivities } from '../workflows/contracts/activities.contract.ts';
import type { ActivityDeps } from './action-state.ts';
import { createAdoptResult } from './adopt-result.ts';
import { createApplyDecision } from './apply-decision.ts';
import { createApproveAutomatically } from './approve-automatically.ts';
import { createEnforceDeadline } from './enforce-deadline.ts';
import { createMarkExecuting } from './mark-executing.ts';

export function createActivities(deps: ActivityDeps): ActionActivities {
  return {
    approveAutomatically: createApproveAutomatically(deps),
    applyDecision: createApplyDecision(deps),
    markExecuting: createMarkExecuting(deps),
    adoptResult: createAdoptResult(deps),
    enforceDeadline: createEnforceDeadline(deps),
  };
}
