import { randomUUID } from 'node:crypto';
import type { Tx } from '../../db/orm.ts';
import { claimNextApprovedAction } from '../../db/repositories/action.repository.ts';
import type { CommandRow } from '../../db/repositories/command.repository.ts';
import { findOutstandingCommand, insertCommand, updateCommand } from '../../db/repositories/command.repository.ts';
import { listAppliedApprovals } from '../../db/repositories/decision.repository.ts';
import { findResultOfCommand } from '../../db/repositories/result.repository.ts';
import type { Row } from '../../db/tables.ts';
import { PASSING_REFUSALS } from '../../domain/lifecycle.ts';
import { AUTO_ACTOR, SYSTEM_ACTOR } from '../../domain/principal.ts';
import { signCommand } from '../../protocol/command-jws.ts';
import { MAX_COMMAND_LIFE_S } from '../../protocol/limits.ts';
import type { CommandPayload } from '../../protocol/messages.ts';
import type { Context } from '../context.ts';

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
 * and list nothing as running. A command that was handed out before is given again with the same id and `seq`.
 */
export async function handOutCommand(ctx: Context, tx: Tx, server: Row<'servers'>): Promise<HandOut> {
  const now = new Date();
  const outstanding = await findOutstandingCommand(tx, server.id);
  if (outstanding !== null) return handOutAgain(ctx, tx, { command: outstanding, now });
  const action = await claimNextApprovedAction(tx, server.id);
  if (action === null) return NOTHING;
  if (server.paused && action.approved_by === AUTO_ACTOR) return NOTHING; // its cancellation is under way
  if (await isBeingCancelled(tx, action.id)) return NOTHING;
  const exp = expiryOf(action, now);
  if (exp.getTime() - now.getTime() < SHORTEST_LIFE_MS) return NOTHING;
  const id = randomUUID();
  const { attempt } = action;
  const command = await insertCommand(tx, {
    id,
    actionId: action.id,
    attempt,
    serverId: server.id,
    issuedAt: now,
    exp,
  });
  tx.audit({
    actor: SYSTEM_ACTOR,
    via: 'agent',
    event: 'command.issued',
    subject: { type: 'command', id },
    data: {
      action_id: action.id,
      server_id: server.id,
      attempt,
      seq: command.seq,
      playbook: action.playbook,
      playbook_digest: action.playbook_digest,
      kid: ctx.signer.kid,
    },
  });
  return { command: await sign(ctx, tx, { command, action, now }), isHeldBack: false };
}

async function handOutAgain(
  ctx: Context,
  tx: Tx,
  { command, now }: { command: CommandRow; now: Date },
): Promise<HandOut> {
  if (command.state !== 'handed_out' || command.cancel_requested) return NOTHING;
  if ((await findResultOfCommand(tx, command.id)) !== null) return NOTHING; // reported; its workflow is about to end it
  const action = await tx.kysely
    .selectFrom('actions')
    .selectAll()
    .where('id', '=', command.action_id)
    .executeTakeFirst();
  if (action?.status !== 'approved') return NOTHING;
  const exp = expiryOf(action, now);
  if (exp.getTime() - now.getTime() < SHORTEST_LIFE_MS) return NOTHING;
  if (await wasJustRefused(tx, { commandId: command.id, now })) return { command: null, isHeldBack: true };
  const renewed = (await updateCommand(tx, command.id, { exp })) ?? command;
  return { command: await sign(ctx, tx, { command: renewed, action, now }), isHeldBack: false };
}

/** Never past approval + `start_within` (contract §5, Command). */
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

async function sign(
  ctx: Context,
  tx: Tx,
  { command, action, now }: { command: CommandRow; action: Row<'actions'>; now: Date },
): Promise<string> {
  const people = (await listAppliedApprovals(tx, [action.id])).get(action.id) ?? [];
  const approvals = people.map(({ by, at }) => ({ by, at: at.toISOString() }));
  const byAuto = { by: AUTO_ACTOR, at: (action.approved_at ?? now).toISOString() };
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
    approvals: approvals.length === 0 ? [byAuto] : approvals,
  };
  return signCommand({ payload, privateKey: ctx.signer.privateKey, kid: ctx.signer.kid });
}
