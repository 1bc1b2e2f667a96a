import { randomUUID } from 'node:crypto';
import { tellSlack } from '../../db/announce.ts';
import { isGuardViolation } from '../../db/errors.ts';
import type { Tx } from '../../db/orm.ts';
import { transact } from '../../db/orm.ts';
import { findActionByRequestKey, insertAction } from '../../db/repositories/action.repository.ts';
import type { BatchRow } from '../../db/repositories/batch.repository.ts';
import { lockServer } from '../../db/repositories/server.repository.ts';
import { toJson } from '../../db/tables.ts';
import type { NewRow } from '../../db/tables.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { Requirement } from '../../domain/policy.ts';
import { escalationTime, findRequirement } from '../../domain/policy.ts';
import type { Asker } from '../../domain/principal.ts';
import { previewSteps } from '../../playbook/render.ts';
import { authorise } from '../authorise.ts';
import type { ControlPlaneConfig } from '../config/config-store.ts';
import type { Context } from '../context.ts';
import type { ActionView } from './action-view.ts';
import { toActionView } from './action-view.ts';
import { checkRequest } from './check-request.ts';
import type { CheckedRequest, RequestInput } from './check-request.ts';
import { joinBatch } from './join-batch.ts';
import { findActionView } from './read-actions.ts';
import { startWorkflow } from './start-workflow.ts';

export interface ActionRequest extends RequestInput {
  dryRun?: boolean | undefined;
  /** The same key twice is one request: the second answers with what the first made. */
  requestKey?: string | undefined;
  slackRequesterChannel?: string | undefined;
}

/**
 * Records what was asked and starts its workflow. What the action needs is fixed here, by today's rules and the pause
 * of this moment. Where Temporal is away the request still stands: the pump starts it.
 *
 * Throws what `checkRequest` throws, `reason_missing` where the rule asks for one; NotAllowedError `role_missing`. Then
 * nothing was changed.
 */
export async function requestAction(ctx: Context, asker: Asker, input: ActionRequest): Promise<ActionView> {
  authorise(asker, 'actions.request');
  const earlier = await findEarlier(ctx, input.requestKey);
  if (earlier !== null) return earlier;
  const checked = await checkRequest(ctx, input);
  const id = randomUUID();
  const asked = { ...checked, id, asker, input, config: ctx.config.current() };
  try {
    await transact(ctx.database, (tx) => recordRequest(tx, asked));
  } catch (error) {
    const winner = isGuardViolation(error) === 'already_requested' ? await findEarlier(ctx, input.requestKey) : null;
    if (winner === null) throw error;
    return winner;
  }
  await startWorkflow(ctx, id);
  const view = await findActionView(ctx, id);
  if (view === null) throw new Error(`Action ${id} lost its row.`);
  return view;
}

/** What it needs is judged under the server's lock: a pause comes wholly before it or wholly after. */
async function recordRequest(tx: Tx, asked: Omit<NewAction, 'requirement' | 'batch' | 'now'>): Promise<void> {
  const { id, asker, input, playbook } = asked;
  const server = (await lockServer(tx, asked.server.id)) ?? asked.server;
  const requirement = findRequirement({
    rules: asked.config.rules,
    server: { name: server.name, tags: server.tags, isPaused: server.paused },
    playbook: { name: playbook.name, risk: playbook.risk },
  });
  if (requirement.isReasonRequired && asked.reason === null) throw refuseWithoutReason(requirement);
  const now = new Date();
  const batch = await joinBatch(tx, { playbook, requirement, server: server.name, params: asked.values, now });
  await insertAction(tx, createRow({ ...asked, server, requirement, batch, now }));
  tx.audit({
    actor: asker.principal.name,
    via: asker.via,
    event: 'action.requested',
    subject: { type: 'action', id },
    data: {
      server: server.name,
      playbook: playbook.name,
      playbook_digest: playbook.digest,
      params: asked.values,
      reason: asked.reason,
      risk: playbook.risk,
      approvals_required: requirement.approvals,
      rule: requirement.text,
      dry_run: input.dryRun ?? false,
      alert_id: input.alertId ?? null,
    },
  });
  await tellSlack(tx, { actionId: id });
}

function refuseWithoutReason(requirement: Requirement): InvalidInputError {
  const message = `This needs a reason (${requirement.text})`;
  const code = 'reason_missing';
  return new InvalidInputError(message, { code, fields: [{ path: 'reason', message: 'This needs a reason.', code }] });
}

interface NewAction extends CheckedRequest {
  id: string;
  asker: Asker;
  input: ActionRequest;
  requirement: Requirement;
  batch: BatchRow | null;
  now: Date;
  config: ControlPlaneConfig;
}

function createRow(parts: NewAction): NewRow<'actions'> {
  const { input, playbook, requirement, batch, now, config } = parts;
  return {
    id: parts.id,
    server_id: parts.server.id,
    playbook: playbook.name,
    playbook_digest: playbook.digest,
    params: toJson(parts.values),
    argv_preview: toJson(previewSteps(playbook, parts.values)),
    risk: playbook.risk,
    reason: parts.reason,
    requested_by: parts.asker.principal.name,
    requested_via: parts.asker.via,
    requested_at: now,
    approvals_required: requirement.approvals,
    approval_rule: toJson(requirement),
    approval_timeout_s: Math.ceil(config.approvalTimeoutMs / 1000),
    start_within_s: Math.ceil(config.startWithinMs / 1000),
    timeout_s: Math.ceil(parts.timeoutMs / 1000),
    dry_run: input.dryRun ?? false,
    alert_id: input.alertId ?? null,
    expires_at: new Date(now.getTime() + config.approvalTimeoutMs),
    next_escalation_at: escalationTime(requirement, { requestedAt: now, step: 0 }),
    request_key: input.requestKey ?? null,
    slack_requester_channel: input.slackRequesterChannel ?? null,
    batch_id: batch?.id ?? null,
    slack_permalink: batch?.slack_permalink ?? null,
  };
}

async function findEarlier(ctx: Context, requestKey: string | undefined): Promise<ActionView | null> {
  if (requestKey === undefined) return null;
  const row = await findActionByRequestKey(ctx.database, requestKey);
  return row === null ? null : toActionView(row);
}
