import { transact } from '../../db/orm.ts';
import type { Tx } from '../../db/orm.ts';
import * as decisions from '../../db/repositories/decision.repository.ts';
import { ConflictError } from '../../domain/errors.ts';
import type { DecisionKind } from '../../domain/policy.ts';
import { listProofs } from '../../domain/policy.ts';
import type { Asker } from '../../domain/principal.ts';
import type { Context } from '../context.ts';
import { refuseHalted } from '../halts/refuse-halted.ts';
import type { TotpUse } from '../totp/use-totp.ts';
import { useTotp } from '../totp/use-totp.ts';
import type { ActionView } from './action-view.ts';
import { auditRefusal, checkDecision } from './check-decision.ts';
import { checkProofs, describeTotpRefusal, totpUnavailable } from './check-proofs.ts';
import type { DecisionInput } from './decide-action.ts';
import { refuseChangedPlaybook } from './end-changed-playbook.ts';

/** As somebody asks for it: by a click, a form, the API or the CLI. */
export interface AskedDecision extends Omit<DecisionInput, 'reason'> {
  kind: DecisionKind;
  reason: string | null;
  decisionId: string;
}

/**
 * Judges who may and what an approval has to carry, then stores the decision. The one-time code is used up in the
 * transaction that stores it; a wrong one is counted and audited, never kept.
 *
 * Throws what checkDecision throws; ConflictError `playbook_changed`, and of an approval `halted`, `frozen`; InvalidInputError of checkProofs; for the code
 * NotAllowedError `totp_not_enrolled`, `totp_wrong`, `totp_reused`, TooManyRequestsError `totp_locked`,
 * UnavailableError `totp_unavailable`.
 */
export async function recordDecision(ctx: Context, asker: Asker, asked: AskedDecision): Promise<void> {
  const { action, groups } = await checkDecision(ctx, asker, asked);
  refuseOtherDigest(action, asked.playbookDigest);
  if (asked.kind === 'approve') {
    await refuseChangedPlaybook(ctx, action);
    checkProofs(action, asked);
  }
  const nowMs = Date.now();
  const use = await transact(ctx.database, 'decision.record', async (tx): Promise<TotpUse> => {
    if (asked.kind === 'approve') await refuseHalted(tx, { tags: action.serverTags, playbook: action.playbook });
    const judged = await judgeCode(ctx, tx, { asker, action, asked, nowMs });
    if (judged.isGood) await store(tx, { asker, action, asked, groups });
    else auditRefusal(tx, { asker, action, kind: asked.kind, code: judged.code });
    return judged;
  });
  if (!use.isGood) throw describeTotpRefusal(use, nowMs);
}

async function judgeCode(
  ctx: Context,
  tx: Tx,
  input: { asker: Asker; action: ActionView; asked: AskedDecision; nowMs: number },
): Promise<TotpUse> {
  const { asker, action, asked, nowMs } = input;
  const isBreakGlass = asked.breakGlass === true;
  const isWanted = asked.kind === 'approve' && listProofs({ risk: action.risk, isBreakGlass }).includes('totp');
  if (!isWanted) return { isGood: true };
  if (ctx.secretsKey === null) throw totpUnavailable();
  const isRepeated = async (): Promise<boolean> => (await decisions.findDecisionById(tx, asked.decisionId)) !== null;
  return useTotp(tx, { asker, code: asked.totp ?? '', key: ctx.secretsKey, nowMs, isRepeated });
}

async function store(
  tx: Tx,
  input: { asker: Asker; action: ActionView; asked: AskedDecision; groups: readonly string[] },
): Promise<void> {
  const { asker, action, asked, groups } = input;
  await decisions.recordDecision(tx, {
    id: asked.decisionId,
    action_id: action.id,
    kind: asked.kind,
    principal: asker.principal.name,
    via: asker.via,
    reason: asked.reason,
    playbook_digest: asked.playbookDigest ?? null,
    groups: [...groups],
    break_glass: asked.kind === 'approve' && asked.breakGlass === true,
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
