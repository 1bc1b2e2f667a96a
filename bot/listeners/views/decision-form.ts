import type { SlackViewAction, SlackViewMiddlewareArgs, ViewOutput } from '@slack/bolt';
import { MedicError } from '../../../domain/errors.ts';
import type { Asker } from '../../../domain/principal.ts';
import type { DecisionOutcome } from '../../../services/actions/decide-action.ts';
import { createAnswer } from '../../blocks/answer.ts';
import type { Message } from '../../blocks/message.ts';
import { createDecisionId } from '../../decision-id.ts';
import type { BotDeps } from '../../deps.ts';
import { callerOf, identify } from '../../identify.ts';
import { openSeal } from '../../seal.ts';
import { explain, tell } from '../../tell.ts';
import { errorsByBlock, inTime } from './form-answer.ts';

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

/** A form that was sent off. */
export interface Submission {
  ack: SlackViewMiddlewareArgs['ack'];
  body: SlackViewAction;
  view: ViewOutput;
  /** What it decides; with the view, one decision however often it is sent. */
  kind: 'approve' | 'reject';
}

/** Reads one field; '' where nothing stands in it, or where the form has none of that name. */
export function readField(view: ViewOutput, field: string): string {
  return (view.state.values[field]?.[field]?.value ?? '').trim();
}

type Outcome = { message: Message; channel: string | null } | { error: unknown; channel: string | null };

/**
 * Decides what a form was filled in for. What is wrong with a field stands at that field, and the form stays open;
 * everything else is told privately where the form's button stood, also what becomes known only after Slack's patience.
 */
export async function decideFromForm(
  deps: BotDeps,
  submission: Submission,
  decide: (decision: FormDecision) => Promise<DecisionOutcome>,
): Promise<void> {
  const { ack, body, view } = submission;
  const working = work(deps, submission, decide);
  const early = await inTime(working);
  const errors = early !== null && 'error' in early ? errorsAt(view, early.error) : {};
  if (Object.keys(errors).length > 0) {
    await ack({ response_action: 'errors', errors });
    return;
  }
  await ack();
  const outcome = await working;
  const message = 'error' in outcome ? explain(deps, outcome.error) : outcome.message;
  await tell(deps, { channel: outcome.channel, userId: body.user.id }, message);
}

async function work(
  deps: BotDeps,
  { body, view, kind }: Submission,
  decide: (decision: FormDecision) => Promise<DecisionOutcome>,
): Promise<Outcome> {
  const userId = body.user.id;
  let channel: string | null = deps.channel;
  try {
    const sealed = { callbackId: view.callback_id, userId, metadata: view.private_metadata, tried: kind };
    const data = (await openSeal(deps, sealed)) as DecisionFormData; // what we sealed is what comes back
    channel = data.channel;
    const asker = await identify(deps, callerOf(body), { tried: kind, actionId: data.actionId });
    const decisionId = createDecisionId({ triggerId: view.id, userId, kind, actionId: data.actionId });
    const { sentence } = await decide({ ...data, asker, decisionId });
    return { message: createAnswer(sentence), channel };
  } catch (error) {
    return { error, channel };
  }
}

/** By the ids of the form's blocks, which are the names of the fields. */
function errorsAt(view: ViewOutput, error: unknown): Record<string, string> {
  if (!(error instanceof MedicError)) return {};
  return errorsByBlock(error, { blocks: Object.keys(view.state.values) });
}
