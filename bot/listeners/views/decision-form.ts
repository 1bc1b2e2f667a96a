import type { SlackViewAction, ViewOutput } from '@slack/bolt';
import type { Asker } from '../../../domain/principal.ts';
import type { DecisionOutcome } from '../../../services/actions/decide-action.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { readFormContext } from '../../blocks/decision-forms.ts';
import type { DecisionFormContext } from '../../blocks/decision-forms.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { BotDeps } from '../../deps.ts';
import { identify } from '../../identify.ts';
import { answer } from '../../tell.ts';

export interface FormDecision extends DecisionFormContext {
  asker: Asker;
  decisionId: string;
}

/** Reads one field; '' where nothing stands in it. */
export function readField(view: ViewOutput, field: string): string {
  return (view.state.values[field]?.[field]?.value ?? '').trim();
}

/**
 * Decides what a form was filled in for, once however often it is sent, and tells the person privately where its
 * button stood. The form must be acknowledged already.
 */
export async function decideFromForm(
  deps: BotDeps,
  form: { body: SlackViewAction; view: ViewOutput; kind: 'approve' | 'reject' },
  decide: (decision: FormDecision) => Promise<DecisionOutcome>,
): Promise<void> {
  const { body, view, kind } = form;
  const context = readFormContext(view.private_metadata);
  const userId = body.user.id;
  await answer(deps, { channel: context.channel || deps.channel, userId }, async () => {
    const person = { userId, teamIds: [body.team?.id, body.user.team_id] };
    const asker = await identify(deps, person, { tried: kind, actionId: context.actionId });
    const decisionId = createDecisionId({ triggerId: view.id, userId, kind, actionId: context.actionId });
    return createAnswer((await decide({ ...context, asker, decisionId })).sentence);
  });
}
