import type { Tx } from '../../db/orm.ts';
import { holdHalts } from '../../db/repositories/halt.repository.ts';
import { coversServer } from '../../domain/halt.ts';
import type { HeartbeatRequest } from '../../protocol/messages.ts';
import type { Context } from '../context.ts';
import type { KeyNews } from '../keys/command-keys.ts';
import { readKeyNews, readTrustedKeys } from '../keys/command-keys.ts';
import type { HandOut } from './hand-out.ts';
import { AFTER_REFUSAL_MS, handOutCommand } from './hand-out.ts';
import type { Speaker } from './hear-heartbeat.ts';
import { isSupersededBy } from './hear-heartbeat.ts';
import { lockEnrolledServer } from './lock-enrolled-server.ts';

export const SLOW_POLL_MS = 5_000; // behind the hints of NOTIFY, any of which may be missed
const NOTHING: HandOut = { command: null, isHeldBack: false };

/** What one look at the database gives a heartbeat. */
export interface Findings {
  commands: string[];
  cancel: string[];
  isPaused: boolean;
  /** Nothing may start on this server; also told without a look (exchange-heartbeat.ts). */
  isHalted: boolean;
  tags: readonly string[];
  intervalS: number;
  /** A newer heartbeat of this server has come: this one is answered with nothing. */
  isSuperseded: boolean;
  lookAgainMs: number;
  /** Of the command keys that the agent has with this answer. */
  keysSerial: number;
  keyNews: KeyNews;
}

/** Looks once for what this server has to do now, and hands it out. */
export async function lookForWork(ctx: Context, tx: Tx, { serverId, kid, request }: Speaker): Promise<Findings> {
  const server = await lockEnrolledServer(tx, { serverId, kid });
  const isSuperseded = isSupersededBy(server, request);
  const trusted = await readTrustedKeys(ctx.signer, tx);
  const halts = await holdHalts(tx);
  const base = {
    isPaused: server.paused,
    isHalted: halts.some((halt) => coversServer(halt, server.tags)),
    tags: server.tags,
    intervalS: server.heartbeat_interval_s,
    isSuperseded,
    lookAgainMs: SLOW_POLL_MS,
    keysSerial: trusted.serial,
    keyNews: await readKeyNews(tx, { trusted, told: request.command_keys_serial }),
  };
  if (isSuperseded) return { ...base, commands: [], cancel: [] };
  const cancel = await listToCancel(tx, { serverId, request });
  const isBusy = request.running.length > 0;
  const { command, isHeldBack } = isBusy ? NOTHING : await handOutCommand(ctx, tx, { server, halts });
  return {
    ...base,
    cancel,
    commands: command === null ? [] : [command],
    ...(isHeldBack ? { lookAgainMs: AFTER_REFUSAL_MS } : {}),
  };
}

/** What runs and is not owed any more, and what somebody asked to stop. */
async function listToCancel(
  tx: Tx,
  { serverId, request }: { serverId: string; request: HeartbeatRequest },
): Promise<string[]> {
  const listed = request.running.map(({ command_id: id }) => id);
  const rows = await tx.kysely
    .selectFrom('commands')
    .select(['id', 'state', 'cancel_requested'])
    .where('server_id', '=', serverId)
    .where((eb) =>
      eb.or([
        eb.and([eb('cancel_requested', '=', true), eb('state', '<>', 'ended')]),
        ...(listed.length === 0 ? [] : [eb('id', 'in', listed)]),
      ]),
    )
    .execute();
  const known = new Map(rows.map((row) => [row.id, row]));
  const notOwed = listed.filter((id) => (known.get(id)?.state ?? 'ended') === 'ended');
  const asked = rows.filter((row) => row.cancel_requested && row.state !== 'ended').map(({ id }) => id);
  return [...new Set([...notOwed, ...asked])];
}
