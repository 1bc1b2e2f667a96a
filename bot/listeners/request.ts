import type { Asker } from '../../domain/principal.ts';
import { findPlaybook } from '../../playbook/catalog.ts';
import { coerceTypedParams } from '../../playbook/params.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import { createAnswer } from '../blocks/answer.ts';
import type { Message } from '../blocks/message.ts';
import { shortId } from '../blocks/names.ts';
import { describeAction } from '../blocks/card-states.ts';
import type { BotDeps } from '../deps.ts';

export interface TypedRequest {
  playbook: string;
  server: string;
  params: Readonly<Record<string, string>>;
  reason: string | undefined;
  channel: string;
  /** One of its own for each command and each form: delivered twice, it asks once. */
  requestKey: string;
}

/** Asks for an action, as typed or as filled in. Throws what `requestAction` throws. */
export async function requestFromSlack(deps: BotDeps, asker: Asker, typed: TypedRequest): Promise<ActionView> {
  const playbook = findPlaybook(deps.ctx.config.current(), typed.playbook);
  return requestAction(deps.ctx, asker, {
    server: typed.server,
    playbook: playbook.name,
    params: coerceTypedParams(playbook, typed.params),
    ...(typed.reason === undefined ? {} : { reason: typed.reason }),
    requestKey: typed.requestKey,
    slackRequesterChannel: typed.channel,
  });
}

export function createRequestAnswer(action: ActionView): Message {
  return createAnswer(describeRequest(action));
}

/** What came of a request, in words. */
export function describeRequest(action: ActionView): string {
  return `${describeAction(action)} ${action.approvalRule} Its id is ${shortId(action.id)}.`;
}
