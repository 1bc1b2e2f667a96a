import type { Tx } from '../../db/orm.ts';
import { recordDecisions } from '../../db/repositories/decision.repository.ts';
import type { HaltRow } from '../../db/repositories/halt.repository.ts';
import { haltCode } from '../../domain/halt.ts';

/**
 * For a command that was handed out and that its agent, asking for work, does not have: the freeze of its playbook lets
 * nobody hand it out again, and at the lift it would be void. Asked back now, it holds up the other work of its server
 * only until its `exp` + 60 s, by when nobody can start it, whoever may have received it. The pump submits it.
 */
export async function askBack(tx: Tx, { halt, actionId }: { halt: HaltRow; actionId: string }): Promise<void> {
  await recordDecisions(tx, [
    {
      id: `halt/${halt.id}/${actionId}`,
      action_id: actionId,
      kind: 'cancel',
      principal: halt.declared_by,
      via: halt.declared_via,
      reason: `Its agent did not have it yet when ${halt.declared_by} froze its playbook (${halt.reason}).`,
      code: haltCode(halt),
    },
  ]);
}
