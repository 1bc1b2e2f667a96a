import { decideAction } from '../../../services/actions/decide-action.ts';
import type { BotDeps } from '../../deps.ts';
import type { Submission } from './decision-form.ts';
import { decideFromForm, readField } from './decision-form.ts';

/** Approves with whatever fields the form has, bound to the playbook that it showed. */
export function approveFromForm(
  deps: BotDeps,
  { breakGlass = false, ...submission }: Omit<Submission, 'kind'> & { breakGlass?: boolean },
): Promise<void> {
  const { view } = submission;
  const given = {
    reason: readField(view, 'reason'),
    confirmServer: readField(view, 'confirm_server'),
    totp: readField(view, 'totp').replaceAll(' ', ''), // as phones show it: 123 456
    breakGlass,
  };
  const kind = 'approve' as const;
  return decideFromForm(deps, { ...submission, kind }, ({ asker, actionId, decisionId, playbookDigest }) =>
    decideAction(deps.ctx, asker, { ...given, kind, actionId, decisionId, playbookDigest }),
  );
}
