import { randomUUID } from 'node:crypto';
import type { Tx } from '../../db/orm.ts';
import { claimNextApprovedAction } from '../../db/repositories/action.repository.ts';
import { isToStart } from '../../db/repositories/attempt.repository.ts';
import type { CommandRow } from '../../db/repositories/command.repository.ts';
import { findOutstandingCommand, insertCommand, updateCommand } from '../../db/repositories/command.repository.ts';
import { listAppliedApprovals } from '../../db/repositories/decision.repository.ts';
import type { HaltRow } from '../../db/repositories/halt.repository.ts';
import { findResultOfCommand } from '../../db/repositories/result.repository.ts';
import type { Row } from '../../db/tables.ts';
import { findCovering } from '../../domain/halt.ts';
import { PASSING_REFUSALS } from '../../domain/lifecycle.ts';
import { AUTO_ACTOR, SYSTEM_ACTOR } from '../../domain/principal.ts';
import { signCommand } from '../../protocol/command-jws.ts';
import { MAX_COMMAND_LIFE_S } from '../../protocol/limits.ts';
import type { CommandPayload } from '../../protocol/messages.ts';
import type { Context } from '../context.ts';
import { askBack } from '../halts/ask-back.ts';
import { hasRoom } from '../limits/has-room.ts';

const SHORTEST_LIFE_MS = 1_000; // a command that ends sooner would only be refused
/** A clock or key that was wrong is still wrong at once: a command refused for it waits this long for its next try. */
export const AFTER_REFUSAL_MS = 1_000;

export interface HandOut {
  /** Newly signed; null where there is none now. */
  command: string | null;
  /** One is owed, and waits for AFTER_REFUSAL_MS to pass. */
  isHeldBack: boolean;
}

const NOTHING: HandOut = { command: null, isHeldBack: false };

/**
 * The command that this server is to fetch now, if there is one. The server must be locked,
 * and list nothing as running. A command that was handed out before is given again with the same id and `seq`. Nothing
 * that one of `halts` covers is signed: they are those of holdHalts, so that none begins before the signature is
 * committed. Where they cannot be read, nothing comes here.
 */
export async function handOutCommand(
  ctx: Context,
  tx: Tx,
  { server, halts }: { server: Row<'servers'>; halts: readonly HaltRow[] },
): Promise<HandOut> {
  const now = new Date();
  const outstanding = await findOutstandingCommand(tx, server.id);
  if (outstanding !== null) return handOutAgain(ctx, tx, { command: outstanding, server, halts, now });
  const action = await claimNext(tx, { server, halts });
  if (action === null) return NOTHING;
  const exp = expiryOf(action, now);
  if (exp.getTime() - now.getTime() < SHORTEST_LIFE_MS) return NOTHING;
  if (!(await hasRoom(ctx, tx, { server, action }))) return NOTHING;
  const id = randomUUID();
  const { attempt } = action;
  const approvals = await listApprovals(tx, action);
  const issued = { id, actionId: action.id, attempt, serverId: server.id, issuedAt: now, exp };
  const command = await insertCommand(tx, issued);
  auditIssue(ctx, tx, { command, action, approvals });
  return { command: await sign(ctx, { command, action, approvals, now }), isHeldBack: false };
}

function auditIssue(
  ctx: Context,
  tx: Tx,
  issued: { command: CommandRow; action: Row<'actions'>; approvals: CommandPayload['approvals'] },
): void {
  const { command, action, approvals } = issued;
  tx.audit({
    actor: SYSTEM_ACTOR,
    via: 'agent',
    event: 'command.issued',
    subject: { type: 'command', id: command.id },
    data: {
      action_id: action.id,
      server_id: command.server_id,
      attempt: command.attempt,
      seq: command.seq,
      playbook: action.playbook,
      playbook_digest: action.playbook_digest,
      kid: ctx.signer.kid,
      exp: command.exp.toISOString(),
      approvals,
    },
  });
}

/** Null where nothing may start now; what a freeze of its playbook stops lets others pass. */
async function claimNext(
  tx: Tx,
  { server, halts }: { server: Row<'servers'>; halts: readonly HaltRow[] },
): Promise<Row<'actions'> | null> {
  const frozen = halts.flatMap(({ scope, value }) => (scope === 'playbook' && value !== null ? [value] : []));
  const action = await claimNextApprovedAction(tx, { serverId: server.id, exceptPlaybooks: frozen });
  if (action === null || findCovering(halts, { tags: server.tags, playbook: action.playbook }) !== null) return null;
  if (server.paused && action.approved_by === AUTO_ACTOR) return null; // its cancellation is under way
  return (await isBeingCancelled(tx, action.id)) ? null : action;
}

async function handOutAgain(
  ctx: Context,
  tx: Tx,
  input: { command: CommandRow; server: Row<'servers'>; halts: readonly HaltRow[]; now: Date },
): Promise<HandOut> {
  const { command, server, halts, now } = input;
  if (command.state !== 'handed_out' || command.cancel_requested) return NOTHING;
  if ((await findResultOfCommand(tx, command.id)) !== null) return NOTHING; // reported; its workflow is about to end it
  const action = await tx.kysely
    .selectFrom('actions')
    .selectAll()
    .where('id', '=', command.action_id)
    .executeTakeFirst();
  if (action === undefined || !isToStart(action)) return NOTHING;
  if (await isBeingCancelled(tx, action.id)) return NOTHING;
  const halt = findCovering(halts, { tags: server.tags, playbook: action.playbook });
  if (halt?.scope === 'playbook') await askBack(tx, { halt, actionId: action.id }); // the rest of the server may go on
  if (halt !== null) return NOTHING;
  const exp = expiryOf(action, now);
  if (exp.getTime() - now.getTime() < SHORTEST_LIFE_MS) return NOTHING;
  if (await wasJustRefused(tx, { commandId: command.id, now })) return { command: null, isHeldBack: true };
  const approvals = await listApprovals(tx, action);
  const renewed = (await updateCommand(tx, command.id, { exp })) ?? command;
  return { command: await sign(ctx, { command: renewed, action, approvals, now }), isHeldBack: false };
}

/** Never past approval + `start_within`, of a later attempt past its time + `start_within` (contract §5, Command). */
function expiryOf(action: Row<'actions'>, now: Date): Date {
  const latestMs = action.expires_at?.getTime() ?? 0;
  return new Date(Math.min(now.getTime() + MAX_COMMAND_LIFE_S * 1000, latestMs));
}

async function isBeingCancelled(tx: Tx, actionId: string): Promise<boolean> {
  const row = await tx.kysely
    .selectFrom('decisions')
    .select('id')
    .where('action_id', '=', actionId)
    .where('kind', '=', 'cancel')
    .where('status', '=', 'recorded')
    .executeTakeFirst();
  return row !== undefined;
}

async function wasJustRefused(tx: Tx, input: { commandId: string; now: Date }): Promise<boolean> {
  const row = await tx.kysely
    .selectFrom('results')
    .select('id')
    .where('command_id', '=', input.commandId)
    .where('code', 'in', [...PASSING_REFUSALS])
    .where('received_at', '>', new Date(input.now.getTime() - AFTER_REFUSAL_MS))
    .executeTakeFirst();
  return row !== undefined;
}

/** Who approved and when, as the command carries it. */
async function listApprovals(tx: Tx, action: Row<'actions'>): Promise<CommandPayload['approvals']> {
  const people = (await listAppliedApprovals(tx, [action.id])).get(action.id) ?? [];
  if (people.length > 0) return people.map(({ by, at }) => ({ by, at: at.toISOString() }));
  return [{ by: AUTO_ACTOR, at: (action.approved_at ?? new Date()).toISOString() }];
}

async function sign(
  ctx: Context,
  input: { command: CommandRow; action: Row<'actions'>; approvals: CommandPayload['approvals']; now: Date },
): Promise<string> {
  const { command, action, approvals, now } = input;
  const payload: CommandPayload = {
    command_id: command.id,
    action_id: action.id,
    attempt: command.attempt,
    server_id: command.server_id,
    playbook: action.playbook,
    playbook_digest: action.playbook_digest,
    params: action.params as CommandPayload['params'],
    dry_run: action.dry_run,
    timeout_s: action.timeout_s,
    nbf: Math.floor(now.getTime() / 1000),
    exp: Math.floor(command.exp.getTime() / 1000),
    seq: command.seq,
    approvals,
  };
  return signCommand({ payload, privateKey: ctx.signer.privateKey, kid: ctx.signer.kid });
}
