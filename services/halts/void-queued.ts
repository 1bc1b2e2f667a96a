import { tellPerson } from '../../db/announce.ts';
import type { Tx } from '../../db/orm.ts';
import { recordDecisions } from '../../db/repositories/decision.repository.ts';
import { listVoid } from '../../db/repositories/halt.repository.ts';
import type { HaltRow, VoidedAction } from '../../db/repositories/halt.repository.ts';
import type { Via } from '../../domain/audit.ts';
import { haltCode, nameReach } from '../../domain/halt.ts';
import { lowerFirst } from '../../domain/sentence.ts';
import { submitDecision } from '../actions/submit-decision.ts';
import type { Context } from '../context.ts';

const MAX_NAMED = 10; // of one person's requests; the channel and `history` show all
const AT_ONCE = 8; // of the ten connections that are ours

/** A recorded cancellation that its workflow has to apply. */
export interface Voided {
  actionId: string;
  decisionId: string;
}

/**
 * Cancels what waits, in the transaction of the lift, so that none of it is handed out in between: a hand-out looks for
 * a recorded cancellation. Each requester is told in the same transaction, once, of all of theirs that no agent has.
 */
export async function voidQueued(
  ctx: Context,
  tx: Tx,
  input: { halt: HaltRow; by: { actor: string; via: Via } },
): Promise<Voided[]> {
  const { halt, by } = input;
  const actions = await listVoid(tx, halt);
  const decisions = actions.map(({ id }) => ({
    id: `halt/${halt.id}/${id}`,
    action_id: id,
    kind: 'cancel' as const,
    principal: by.actor,
    via: by.via,
    reason: `It waited when ${halt.declared_by} halted it (${halt.reason}); what waits is not released at the end of a halt.`,
    code: haltCode(halt),
  }));
  await recordDecisions(tx, decisions);
  for (const [requester, theirs] of groupByRequester(actions.filter(({ is_handed_out }) => !is_handed_out)))
    await tell(ctx, tx, { halt, requester, theirs });
  return decisions.map(({ id, action_id: actionId }) => ({ decisionId: id, actionId }));
}

/** Submits them a few at a time. What fails here, the pump submits again. */
export async function submitVoided(ctx: Context, voided: readonly Voided[]): Promise<void> {
  const queue = [...voided];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      try {
        await submitDecision(ctx, next);
      } catch (error) {
        ctx.log.warn({ err: error, action_id: next.actionId }, 'a cancellation was not submitted; the pump will');
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function groupByRequester(actions: readonly VoidedAction[]): Map<string, VoidedAction[]> {
  return Map.groupBy(actions, ({ requested_by: requester }) => requester);
}

/** In Slack, where they have a user id there; everyone else finds it on their actions. */
async function tell(
  ctx: Context,
  tx: Tx,
  input: { halt: HaltRow; requester: string; theirs: readonly VoidedAction[] },
): Promise<void> {
  const { halt, requester, theirs } = input;
  const slackUserId = ctx.config.current().principals.get(requester)?.slackUserId ?? null;
  if (slackUserId === null) return;
  const named = theirs.slice(0, MAX_NAMED).map(({ playbook, server_name: server }) => `${playbook} on ${server}`);
  const left = theirs.length > named.length ? `, and ${theirs.length - named.length} more` : '';
  const many = theirs.length === 1 ? 'A request of yours is' : `${theirs.length} requests of yours are`;
  const waited = theirs.length === 1 ? 'It waited' : 'They waited';
  const text =
    `${many} cancelled and will not run: ${named.join(', ')}${left}. ${waited} while ${halt.declared_by} had ` +
    `halted ${lowerFirst(nameReach(halt))} (${halt.reason}), and that is over now. Ask again for what is still needed.`;
  await tellPerson(tx, { actionId: null, slackUserId, text });
}
