import { randomUUID } from 'node:crypto';
import { tellSlack } from '../../db/announce.ts';
import { isGuardViolation } from '../../db/errors.ts';
import type { Tx } from '../../db/orm.ts';
import { transact } from '../../db/orm.ts';
import { findActionByRequestKey, insertAction } from '../../db/repositories/action.repository.ts';
import { findServer, listServerNames, lockServer } from '../../db/repositories/server.repository.ts';
import { toJson } from '../../db/tables.ts';
import type { NewRow, Row } from '../../db/tables.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import type { Requirement } from '../../domain/policy.ts';
import { findRequirement } from '../../domain/policy.ts';
import type { Asker } from '../../domain/principal.ts';
import { findPlaybook } from '../../playbook/catalog.ts';
import { checkParams } from '../../playbook/params.ts';
import type { ParamValues, Playbook } from '../../playbook/playbook.ts';
import { effectiveTimeoutMs, previewSteps } from '../../playbook/render.ts';
import { authorise } from '../authorise.ts';
import type { ControlPlaneConfig } from '../config/config-store.ts';
import type { Context } from '../context.ts';
import type { ActionView } from './action-view.ts';
import { readReason } from './reason.ts';
import { toActionView } from './action-view.ts';
import { findActionView } from './read-actions.ts';
import { startWorkflow } from './start-workflow.ts';

export interface ActionRequest {
  /** The server's name or id. */
  server: string;
  playbook: string;
  params: Record<string, unknown>;
  reason?: string | undefined;
  alertId?: string | undefined;
  timeoutS?: number | undefined;
  dryRun?: boolean | undefined;
  /** The same key twice is one request: the second answers with what the first made. */
  requestKey?: string | undefined;
  slackRequesterChannel?: string | undefined;
}

/**
 * Records what was asked and starts its workflow. What the action needs is fixed here, by today's rules and the pause
 * of this moment. Where Temporal is away the request still stands: the pump starts it.
 *
 * Throws InvalidInputError `unknown_server`, `unknown_playbook`, `unknown_alert`, `invalid_params`, `timeout_too_long`,
 * `reason_too_long`; NotAllowedError `role_missing`. Then nothing was changed.
 */
export async function requestAction(ctx: Context, asker: Asker, input: ActionRequest): Promise<ActionView> {
  authorise(asker, 'actions.request');
  const earlier = await findEarlier(ctx, input.requestKey);
  if (earlier !== null) return earlier;
  const config = ctx.config.current();
  const server = await findServerOrThrow(ctx, input.server);
  const playbook = findPlaybook(config, input.playbook);
  const values = readParams(playbook, input.params);
  const timeoutMs = effectiveTimeoutMs(playbook, toMs(input.timeoutS));
  const reason = readReason(input.reason);
  await checkAlert(ctx, input.alertId);
  const id = randomUUID();
  const asked = { id, asker, input, server, playbook, values, reason, timeoutMs, config };
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
async function recordRequest(tx: Tx, asked: Omit<NewAction, 'requirement'>): Promise<void> {
  const { id, asker, input, playbook } = asked;
  const server = (await lockServer(tx, asked.server.id)) ?? asked.server;
  const requirement = findRequirement({
    rules: asked.config.rules,
    server: { name: server.name, tags: server.tags, isPaused: server.paused },
    playbook: { name: playbook.name, risk: playbook.risk },
  });
  await insertAction(tx, createRow({ ...asked, server, requirement }));
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

interface NewAction {
  id: string;
  asker: Asker;
  input: ActionRequest;
  server: Row<'servers'>;
  playbook: Playbook;
  values: ParamValues;
  reason: string | null;
  requirement: Requirement;
  timeoutMs: number;
  config: ControlPlaneConfig;
}

function createRow(parts: NewAction): NewRow<'actions'> {
  const { input, playbook, requirement, config } = parts;
  const now = new Date();
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
    approval_rule: toJson({ index: null, text: requirement.text, from: requirement.from }),
    approval_timeout_s: Math.ceil(config.approvalTimeoutMs / 1000),
    start_within_s: Math.ceil(config.startWithinMs / 1000),
    timeout_s: Math.ceil(parts.timeoutMs / 1000),
    dry_run: input.dryRun ?? false,
    alert_id: input.alertId ?? null,
    expires_at: new Date(now.getTime() + config.approvalTimeoutMs),
    request_key: input.requestKey ?? null,
    slack_requester_channel: input.slackRequesterChannel ?? null,
  };
}

async function findEarlier(ctx: Context, requestKey: string | undefined): Promise<ActionView | null> {
  if (requestKey === undefined) return null;
  const row = await findActionByRequestKey(ctx.database, requestKey);
  return row === null ? null : toActionView(row);
}

async function findServerOrThrow(ctx: Context, name: string): Promise<Row<'servers'>> {
  const server = await findServer(ctx.database, name);
  if (server !== null && server.revoked_at === null) return server;
  const hint = suggestNearest(name, await listServerNames(ctx.database));
  throw new InvalidInputError(`There is no server ${JSON.stringify(name.slice(0, 64))}.${hint}`, {
    code: 'unknown_server',
  });
}

function readParams(playbook: Playbook, raw: Record<string, unknown>): ParamValues {
  const checked = checkParams(playbook, raw);
  if ('values' in checked) return checked.values;
  const message = checked.errors.map((error) => error.message).join(' ');
  throw new InvalidInputError(message, { code: checked.errors[0]?.code ?? 'invalid_params', fields: checked.errors });
}

async function checkAlert(ctx: Context, alertId: string | undefined): Promise<void> {
  if (alertId === undefined) return;
  const alert = await ctx.database.kysely
    .selectFrom('alerts')
    .select('id')
    .where('id', '=', alertId)
    .executeTakeFirst();
  if (alert !== undefined) return;
  throw new InvalidInputError(`There is no alert ${JSON.stringify(alertId.slice(0, 64))}.`, { code: 'unknown_alert' });
}

function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
