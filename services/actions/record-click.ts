import { transact } from '../../db/orm.ts';
import type { Tx } from '../../db/orm.ts';
import { findDecisionById, recordDecision } from '../../db/repositories/decision.repository.ts';
import { ConflictError } from '../../domain/errors.ts';
import type { DecisionKind } from '../../domain/policy.ts';
import { listProofs } from '../../domain/policy.ts';
import type { Asker } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import type { TotpUse } from '../totp/use-totp.ts';
import { useTotp } from '../totp/use-totp.ts';
import type { ActionView } from './action-view.ts';
import { auditRefusal, checkDecision } from './check-decision.ts';
import { checkProofs, describeTotpRefusal, totpUnavailable } from './check-proofs.ts';
import type { DecisionInput } from './decide-action.ts';
import { refuseChangedPlaybook } from './end-changed-playbook.ts';

export interface ClickToRecord extends Omit<DecisionInput, 'reason'> {
  kind: DecisionKind;
  reason: string | null;
  decisionId: string;
}

/**
 * Judges who may and what an approval has to carry, then stores the click. The one-time code is used up in the
 * transaction that stores it; a wrong one is counted and audited, never kept.
 *
 * Throws what checkDecision throws; ConflictError `playbook_changed`; InvalidInputError of checkProofs; for the code
 * NotAllowedError `totp_not_enrolled`, `totp_wrong`, `totp_reused`, TooManyRequestsError `totp_locked`,
 * UnavailableError `totp_unavailable`.
 */
export async function recordClick(ctx: Context, asker: Asker, click: ClickToRecord): Promise<void> {
  const { action, groups } = await checkDecision(ctx, asker, click);
  refuseOtherDigest(action, click.playbookDigest);
  if (click.kind === 'approve') {
    await refuseChangedPlaybook(ctx, action);
    checkProofs(action, click);
  }
  const nowMs = Date.now();
  const use = await transact(ctx.database, async (tx): Promise<TotpUse> => {
    const judged = await judgeCode(ctx, tx, { asker, action, click, nowMs });
    if (judged.isGood) await store(tx, { asker, action, click, groups });
    else auditRefusal(tx, { asker, action, kind: click.kind, code: judged.code });
    return judged;
  });
  if (!use.isGood) throw describeTotpRefusal(use, nowMs);
}

async function judgeCode(
  ctx: Context,
  tx: Tx,
  input: { asker: Asker; action: ActionView; click: ClickToRecord; nowMs: number },
): Promise<TotpUse> {
  const { asker, action, click, nowMs } = input;
  const isBreakGlass = click.breakGlass === true;
  const isAsked = click.kind === 'approve' && listProofs({ risk: action.risk, isBreakGlass }).includes('totp');
  if (!isAsked) return { isGood: true };
  if (ctx.secretsKey === null) throw totpUnavailable();
  const isRepeated = async (): Promise<boolean> => (await findDecisionById(tx, click.decisionId)) !== null;
  return useTotp(tx, { asker, code: click.totp ?? '', key: ctx.secretsKey, nowMs, isRepeated });
}

async function store(
  tx: Tx,
  input: { asker: Asker; action: ActionView; click: ClickToRecord; groups: readonly string[] },
): Promise<void> {
  const { asker, action, click, groups } = input;
  await recordDecision(tx, {
    id: click.decisionId,
    action_id: action.id,
    kind: click.kind,
    principal: asker.principal.name,
    via: asker.via,
    reason: click.reason,
    playbook_digest: click.playbookDigest ?? null,
    groups: [...groups],
    break_glass: click.kind === 'approve' && click.breakGlass === true,
  });
}

/** The person was shown another playbook than the action is of. */
function refuseOtherDigest(action: ActionView, shown: string | undefined): void {
  if (shown === undefined || shown === action.playbookDigest) return;
  throw new ConflictError(`The playbook ${action.playbook} is another one than you were shown: ask again.`, {
    code: 'playbook_changed',
    details: { playbook_digest: action.playbookDigest },
  });
}
