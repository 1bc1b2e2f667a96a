import { hasAlert } from '../../db/repositories/alert.repository.ts';
import { findServer, listServerNames } from '../../db/repositories/server.repository.ts';
import type { Row } from '../../db/tables.ts';
import { MAX_ARGV_TEXT, writeArgv } from '../../domain/argv-text.ts';
import type { FieldError } from '../../domain/errors.ts';
import { InvalidInputError, MedicError } from '../../domain/errors.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import { findPlaybook } from '../../playbook/catalog.ts';
import { checkParams } from '../../playbook/params.ts';
import type { ParamValues, Playbook } from '../../playbook/playbook.ts';
import { effectiveTimeoutMs, previewSteps } from '../../playbook/render.ts';
import type { Context } from '../context.ts';
import { checkParamsSize } from '../limits/check-limits.ts';
import { refuseEmpty } from '../limits/no-targets.ts';
import { readReason } from './reason.ts';

/** What, where and with which values somebody asks; as it came in. */
export interface RequestInput {
  /** The server's name or id. */
  server: string;
  playbook: string;
  params: Record<string, unknown>;
  reason?: string | undefined;
  alertId?: string | undefined;
  timeoutS?: number | undefined;
}

/** The same, found right. */
export interface CheckedRequest {
  server: Row<'servers'>;
  playbook: Playbook;
  values: ParamValues;
  timeoutMs: number;
  reason: string | null;
}

/**
 * All that is wrong with a request by itself, before any rule is asked. What is wrong with parameters, timeout and
 * reason is told at once, each with its field.
 *
 * Throws InvalidInputError `params_too_large`, `no_targets`, `unknown_server`, `unknown_playbook`, `unknown_alert`, `unknown_param`, `missing_param`,
 * `invalid_param`, `too_long_to_show`, `timeout_too_long`, `invalid_timeout`, `invalid_text`, `reason_too_long`.
 */
export async function checkRequest(ctx: Context, input: RequestInput): Promise<CheckedRequest> {
  checkParamsSize(ctx.config.current().limits, input.params);
  const server = await findServerOrThrow(ctx, input.server);
  const playbook = findPlaybook(ctx.config.current(), input.playbook);
  const faults: MedicError[] = [];
  const values = attempt(faults, () => readParams(playbook, input.params));
  const timeoutMs = attempt(faults, () => effectiveTimeoutMs(playbook, toMs(input.timeoutS)));
  const reason = attempt(faults, () => readReason(input.reason));
  if (values === undefined || timeoutMs === undefined || reason === undefined) throw join(faults);
  await checkAlert(ctx, input.alertId);
  return { server, playbook, values, timeoutMs, reason };
}

function attempt<T>(faults: MedicError[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MedicError)) throw error;
    faults.push(error);
    return undefined;
  }
}

function join(faults: readonly MedicError[]): MedicError {
  const [first] = faults;
  if (first !== undefined && faults.length === 1) return first;
  const message = faults.map((fault) => fault.message).join(' ');
  const fields = faults.flatMap((fault): readonly FieldError[] => fault.fields);
  return new InvalidInputError(message, { code: first?.code ?? 'invalid_params', fields });
}

async function findServerOrThrow(ctx: Context, name: string): Promise<Row<'servers'>> {
  refuseEmpty('server', name);
  const server = await findServer(ctx.database, name);
  if (server !== null) return refuseRevoked(server);
  const hint = suggestNearest(name, await listServerNames(ctx.database));
  const message = `There is no server ${JSON.stringify(name.slice(0, 64))}.${hint}`;
  const code = 'unknown_server';
  throw new InvalidInputError(message, { code, fields: [{ path: 'server', message, code }] });
}

/** Throws InvalidInputError `unknown_server`: nothing can run there, and nothing ever will. */
export function refuseRevoked(server: Row<'servers'>): Row<'servers'> {
  if (server.revoked_at === null) return server;
  const message = `${server.name} was revoked: nothing runs there until it is enrolled again.`;
  const code = 'unknown_server';
  throw new InvalidInputError(message, { code, fields: [{ path: 'server', message, code }] });
}

function readParams(playbook: Playbook, raw: Record<string, unknown>): ParamValues {
  const checked = checkParams(playbook, raw);
  if ('values' in checked) return checkLength(playbook, checked.values);
  const message = checked.errors.map((error) => error.message).join(' ');
  throw new InvalidInputError(message, { code: checked.errors[0]?.code ?? 'invalid_params', fields: checked.errors });
}

/** An approval is bound to what was shown, so what cannot be shown whole cannot be asked for. */
function checkLength(playbook: Playbook, values: ParamValues): ParamValues {
  const { length } = writeArgv(previewSteps(playbook, values));
  if (length <= MAX_ARGV_TEXT) return values;
  const message = `What would run is ${length} characters long, and a card shows ${MAX_ARGV_TEXT} whole: give shorter values.`;
  const code = 'too_long_to_show';
  throw new InvalidInputError(message, { code, fields: [{ path: 'params', message, code }] });
}

async function checkAlert(ctx: Context, alertId: string | undefined): Promise<void> {
  if (alertId === undefined || (await hasAlert(ctx.database, alertId))) return;
  throw new InvalidInputError(`There is no alert ${JSON.stringify(alertId.slice(0, 64))}.`, { code: 'unknown_alert' });
}

function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
