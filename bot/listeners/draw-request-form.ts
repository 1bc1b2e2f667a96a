import type { ModalView } from '@slack/types';
import { MedicError } from '../../domain/errors.ts';
import type { Asker } from '../../domain/principal.ts';
import { mayDo } from '../../domain/roles.ts';
import { coerceTypedParams } from '../../playbook/params.ts';
import type { Playbook } from '../../playbook/playbook.ts';
import { listApprovers } from '../../services/actions/approvers.ts';
import { previewAction } from '../../services/actions/preview-action.ts';
import type { ActionPreview } from '../../services/actions/preview-action.ts';
import { FORMS } from '../blocks/names.ts';
import type { ShownPreview } from '../blocks/preview.ts';
import { createRequestForm } from '../blocks/request-form.ts';
import type { Entered } from '../blocks/request-form.ts';
import type { BotDeps } from '../deps.ts';
import { sealForm } from '../seal.ts';
import { toSentence } from '../tell.ts';
import { typedParams } from './request-state.ts';

const MAX_ASKED = 25; // Slack answers about 100 such questions a minute

/** For whom a form is drawn. */
export interface FormOwner {
  asker: Asker;
  userId: string;
  /** Where the answer goes. */
  channel: string;
}

/** What a request form carries: what of it was shown, so that nothing else is sent. */
export interface RequestFormData {
  channel: string;
  /** Of the playbook whose inputs stand there. */
  digest: string | null;
  /** Of the preview that stands there. */
  fingerprint: string | null;
}

/** The form at once, without asking the database. */
export function drawBareForm(
  deps: BotDeps,
  owner: FormOwner,
  drawn: { entered: Entered; notice?: string | undefined; shown?: ShownPreview | undefined },
): ModalView {
  const { playbooks } = deps.ctx.config.current();
  const playbook = playbooks.get(drawn.entered.playbook) ?? null;
  const data: RequestFormData = {
    channel: owner.channel,
    digest: playbook?.digest ?? null,
    fingerprint: drawn.shown?.preview.fingerprint ?? null,
  };
  return createRequestForm({
    playbooks: [...playbooks.values()],
    playbook,
    entered: drawn.entered,
    shown: drawn.shown ?? null,
    notice: drawn.notice ?? null,
    metadata: sealForm(deps, { callbackId: FORMS.request, userId: owner.userId, data }),
  });
}

/** The form with its preview, or with what is still wrong; what is only missing is not wrong yet. */
export async function drawForm(deps: BotDeps, owner: FormOwner, entered: Entered): Promise<ModalView> {
  const playbook = deps.ctx.config.current().playbooks.get(entered.playbook);
  if (playbook === undefined || entered.server === '') return drawBareForm(deps, owner, { entered });
  try {
    const preview = await previewEntered(deps, owner.asker, { playbook, entered });
    return await drawShownForm(deps, owner, { entered, preview });
  } catch (error) {
    const isMissing = error instanceof MedicError && error.fields.some(({ code }) => code === 'missing_param');
    const notice = isMissing ? undefined : toSentence(deps, error);
    return drawBareForm(deps, owner, { entered, notice });
  }
}

export async function drawShownForm(
  deps: BotDeps,
  owner: FormOwner,
  drawn: { entered: Entered; preview: ActionPreview; notice?: string | undefined },
): Promise<ModalView> {
  const { preview, ...rest } = drawn;
  const approvers = await findApprovers(deps, owner, preview);
  return drawBareForm(deps, owner, { ...rest, shown: { preview, approvers } });
}

/** Null where they are so many that asking Slack about each would take its patience from the cards. */
async function findApprovers(deps: BotDeps, owner: FormOwner, preview: ActionPreview): Promise<string[] | null> {
  const { requirement } = preview;
  if (requirement.approvals === 0) return [];
  const people = [...deps.ctx.config.current().principals.values()];
  if (people.filter(({ roles }) => mayDo(roles, 'actions.decide')).length > MAX_ASKED) return null;
  const approvers = await listApprovers(deps.ctx, { requirement, requestedBy: owner.asker.principal.name });
  return approvers.map(({ name }) => name);
}

/** Throws what `previewAction` throws. */
export function previewEntered(
  deps: BotDeps,
  asker: Asker,
  asked: { playbook: Playbook; entered: Entered },
): Promise<ActionPreview> {
  const { playbook, entered } = asked;
  return previewAction(deps.ctx, asker, {
    playbook: playbook.name,
    server: entered.server,
    params: coerceTypedParams(playbook, typedParams(playbook, entered)),
    reason: entered.reason,
  });
}
