import type { SlackViewAction, ViewOutput } from '@slack/bolt';
import type { Asker } from '../../../domain/principal.ts';
import type { DecisionOutcome } from '../../../services/actions/decide-action.ts';
import { createAnswer } from '../../blocks/answer.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { BotDeps } from '../../deps.ts';
import { identify } from '../../identify.ts';
import { openSeal } from '../../seal.ts';
import { answer } from '../../tell.ts';

/** What a form was opened for, kept by Slack under our seal until it comes back. */
export interface DecisionFormData {
  actionId: string;
  /** Where its button stood and its answer goes; null on Home. */
  channel: string | null;
  /** Of the playbook that was shown: an approval counts for this one only. */
  playbookDigest: string;
}

export interface FormDecision extends DecisionFormData {
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
  const userId = body.user.id;
  const reply: { channel: string | null; userId: string } = { channel: deps.channel, userId };
  await answer(deps, reply, async () => {
    const data = await readDecisionForm(deps, { userId, view, tried: kind });
    reply.channel = data.channel;
    const person = { userId, teamIds: [body.team?.id, body.user.team_id] };
    const asker = await identify(deps, person, { tried: kind, actionId: data.actionId });
    const decisionId = createDecisionId({ triggerId: view.id, userId, kind, actionId: data.actionId });
    return createAnswer((await decide({ ...data, asker, decisionId })).sentence);
  });
}

/** Throws NotAllowedError `forged_form` where we did not open that form for that person. */
export async function readDecisionForm(
  deps: BotDeps,
  form: { userId: string; view: ViewOutput; tried: string },
): Promise<DecisionFormData> {
  const { userId, view, tried } = form;
  const sealed = { callbackId: view.callback_id, userId, metadata: view.private_metadata, tried };
  return (await openSeal(deps, sealed)) as DecisionFormData; // what we sealed is what comes back
}
