import * as sockets from '../../db/repositories/slack-socket.repository.ts';
import type { SocketReport } from '../../db/repositories/slack-socket.repository.ts';
import { durably } from '../../domain/durable-step.ts';
import type { Context } from '../context.ts';

/** How often each bot says how it is, beside telling every change at once. */
export const REPORT_EVERY_MS = 20_000;

const FRESH_MS = 3 * REPORT_EVERY_MS; // three reports missed: it is dead, or cannot reach the database
const KEPT_MS = 24 * 3_600_000; // a bot that died goes on counting as silence, for a day

/** The sockets to Slack of all bot processes together. */
export interface Sockets {
  connected: number;
  /** Bots that run and have none. */
  lost: number;
  /** For how long Slack has reached no bot at all; 0 while it reaches one. Null where no bot uses Socket Mode. */
  disconnectedS: number | null;
}

export function reportSocket(ctx: Pick<Context, 'database'>, report: SocketReport): Promise<void> {
  return durably('socket.report', () => sockets.saveSocket(ctx.database, report, KEPT_MS));
}

/** For a bot that ends properly: nobody waits for it any more. */
export function forgetSocket(ctx: Pick<Context, 'database'>, id: string): Promise<void> {
  return durably('socket.report', () => sockets.deleteSocket(ctx.database, id));
}

export async function readSockets(ctx: Pick<Context, 'database'>): Promise<Sockets> {
  const counted = await sockets.countSockets(ctx.database, { freshMs: FRESH_MS, keptMs: KEPT_MS });
  const { connected, lost, silent_s: silentS } = counted;
  return { connected, lost, disconnectedS: connected > 0 ? 0 : silentS };
}
