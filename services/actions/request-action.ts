import { randomUUID } from 'node:crypto';
import { tellSlack } from '../../db/announce.ts';
import { isGuardViolation } from '../../db/errors.ts';
import type { Tx } from '../../db/orm.ts';
import { transact } from '../../db/orm.ts';
import { findIdByRequestKey, insertAction } from '../../db/repositories/action.repository.ts';
import { closeDeadLetter } from '../../db/repositories/dead-letter.repository.ts';
import type { BatchRow } from '../../db/repositories/batch.repository.ts';
import { lockServer } from '../../db/repositories/server.repository.ts';
import { toJson } from '../../db/tables.ts';
import type { NewRow } from '../../db/tables.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { holdBackAfter } from '../../domain/limits.ts';
import type { Requirement } from '../../domain/policy.ts';
import { escalationTime, findRequirement } from '../../domain/policy.ts';
import type { Asker } from '../../domain/principal.ts';
import type { RetryPolicy } from '../../domain/retry.ts';
import type { Playbook } from '../../playbook/playbook.ts';
import { previewSteps } from '../../playbook/render.ts';
import { authorise } from '../authorise.ts';
import { refuseHalted } from '../halts/refuse-halted.ts';
import { refuseHeldBack } from '../hold-backs/refuse-held-back.ts';
import { releaseHoldBack } from '../hold-backs/release-hold-back.ts';
import type { ControlPlaneConfig } from '../config/config-store.ts';
import type { Context } from '../context.ts';
import { checkLimits } from '../limits/check-limits.ts';
import type { ActionView } from './action-view.ts';
import { checkRequest, refuseRevoked } from './check-request.ts';
import type { CheckedRequest, RequestInput } from './check-request.ts';
import { notADeadLetter } from '../dead-letters/not-a-dead-letter.ts';
import { joinBatch } from './join-batch.ts';
import { findActionView } from './read-actions.ts';
import { startWorkflow } from './start-workflow.ts';

export interface ActionRequest extends RequestInput {
  dryRun?: boolean | undefined;
  /** The same key twice is one request: the second answers with what the first made. */
  requestKey?: string | undefined;
  slackRequesterChannel?: string | undefined;
  /** A dead letter that this asks for again, and that is replayed with it. */
  replayOf?: ActionView | undefined;
}

/**
 * Records what was asked and starts its workflow. Where Temporal is away the request still stands: the pump starts it.
 * Throws what `recordAction` throws.
 */
export async function requestAction(ctx: Context, asker: Asker, input: ActionRequest): Promise<ActionView> {
  const { id, isNew } = await recordAction(ctx, asker, input);
  if (isNew) await startWorkflow(ctx, id);
  return readRecorded(ctx, id);
}

/**
 * Records what was asked; its workflow is the caller's to start, or the pump's. What the action needs is fixed here, by
 * today's rules and the pause of this moment. Not `isNew`: `id` is what an earlier request under this key made.
 *
 * Throws what `checkRequest` and `checkLimits` throw, `reason_missing` where the rule asks for one; NotAllowedError
 * `role_missing`; ConflictError `halted`, `frozen`, `held_back`, or `not_a_dead_letter` where its dead letter was taken. Then nothing
 * was changed.
 */
export async function recordAction(
  ctx: Context,
  asker: Asker,
  input: ActionRequest,
): Promise<{ id: string; isNew: boolean }> {
  authorise(asker, 'actions.request');
  const earlier = await findEarlier(ctx, input.requestKey);
  if (earlier !== null) return { id: earlier, isNew: false };
  const checked = await checkRequest(ctx, input);
  const id = randomUUID();
  const asked = { ...checked, id, asker, input, config: ctx.config.current() };
  try {
    await transact(ctx.database, 'action.request', (tx) => recordRequest(tx, asked));
  } catch (error) {
    const winner = isGuardViolation(error) === 'already_requested' ? await findEarlier(ctx, input.requestKey) : null;
    if (winner === null) throw error;
    return { id: winner, isNew: false };
  }
  return { id, isNew: true };
}

/** For use cases that have authorised already. */
export async function readRecorded(ctx: Context, id: string): Promise<ActionView> {
  const view = await findActionView(ctx, id);
  if (view === null) throw new Error(`Action ${id} lost its row.`);
  return view;
}

/** What it needs is judged under the server's lock: a pause, or a halt, comes wholly before it or wholly after. */
async function recordRequest(tx: Tx, asked: AskedFor): Promise<void> {
  const { id, asker, input, playbook } = asked;
  const isDryRun = input.dryRun ?? false;
  const server = refuseRevoked((await lockServer(tx, asked.server.id)) ?? asked.server);
  await refuseHalted(tx, { tags: server.tags, playbook: playbook.name });
  await refuseHeldBack(tx, { server, playbook: playbook.name, isDryRun, replayOf: input.replayOf?.id ?? null });
  const requirement = findRequirement({
    rules: asked.config.rules,
    server: { name: server.name, tags: server.tags, isPaused: server.paused },
    playbook: { name: playbook.name, risk: playbook.risk },
  });
  if (requirement.isReasonRequired && asked.reason === null) throw refuseWithoutReason(requirement);
  const now = new Date();
  await checkLimits(tx, {
    limits: asked.config.limits,
    server,
    playbook: playbook.name,
    principal: asker.principal.name,
    isDryRun,
    now,
  });
  const argvPreview = previewSteps(playbook, asked.values);
  const candidate = { playbook, requirement, server: server.name, params: asked.values, argvPreview, now };
  const batch = await joinBatch(tx, candidate);
  const row = createRow({ ...asked, server, requirement, batch, now });
  if (input.replayOf !== undefined) await takeDeadLetter(tx, { old: input.replayOf, id, asker });
  await insertAction(tx, row);
  auditRequest(tx, { ...asked, server, requirement }, row);
  await tellSlack(tx, { actionId: id });
}

function auditRequest(
  tx: Tx,
  asked: Omit<NewAction, 'batch' | 'now'>,
  row: Pick<NewRow<'actions'>, 'approval_timeout_s' | 'start_within_s' | 'timeout_s' | 'retry' | 'replay_of'>,
): void {
  const { id, asker, input, server, playbook, requirement } = asked;
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
      approval_timeout_s: row.approval_timeout_s,
      start_within_s: row.start_within_s,
      timeout_s: row.timeout_s,
      attempts: row.retry === null ? 1 : (playbook.retry?.attempts ?? 1),
      dry_run: input.dryRun ?? false,
      alert_id: input.alertId ?? null,
      replay_of: row.replay_of ?? null,
    },
  });
}

/** Whoever is second finds it taken, and their request is undone. */
async function takeDeadLetter(tx: Tx, input: { old: ActionView; id: string; asker: Asker }): Promise<void> {
  const { old, id, asker } = input;
  const taken = await closeDeadLetter(tx, { id: old.id, as: 'replayed' });
  if (taken === null) throw notADeadLetter(old);
  const subject = { type: 'action', id: old.id };
  const data = { replayed_as: id };
  tx.audit({ actor: asker.principal.name, via: asker.via, event: 'action.replayed', subject, data });
  await releaseHoldBack(tx, { actionId: old.id, asker, how: 'replayed' });
  await tellSlack(tx, { actionId: old.id });
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

type AskedFor = Omit<NewAction, 'requirement' | 'batch' | 'now'>;

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
    retry: storeRetry(playbook, input),
    hold_back_after: holdBackAfter(config.limits, playbook.name),
    replay_of: input.replayOf?.id ?? null,
    replay_changed: input.replayOf !== undefined && input.replayOf.playbookDigest !== playbook.digest,
    next_escalation_at: escalationTime(requirement, { requestedAt: now, step: 0 }),
    request_key: input.requestKey ?? null,
    slack_requester_channel: input.slackRequesterChannel ?? null,
    batch_id: batch?.id ?? null,
    slack_permalink: batch?.slack_permalink ?? null,
  };
}

/** A dry run starts nothing, so there is nothing to try again. */
function storeRetry({ retry, isIdempotent }: Playbook, { dryRun = false }: ActionRequest): string | null {
  if (retry === null || dryRun) return null;
  const policy: RetryPolicy = { ...retry, isIdempotent };
  return toJson(policy);
}

function findEarlier(ctx: Context, requestKey: string | undefined): Promise<string | null> {
  return requestKey === undefined ? Promise.resolve(null) : findIdByRequestKey(ctx.database, requestKey);
}
