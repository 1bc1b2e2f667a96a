import { listStandingHalts } from '../../db/repositories/halt.repository.ts';
import * as servers from '../../db/repositories/server.repository.ts';
import type { Asker } from '../../domain/principal.ts';
import { authorise } from '../authorise.ts';
import type { Context } from '../context.ts';
import type { ServerView } from './server-view.ts';
import { toServerView } from './server-view.ts';

const MAX_TYPED = 100; // names have at most 63
const MAX_MENTIONING = 4_000; // characters of a message that are looked at

/** Servers with this text in their name or in a tag; those whose name begins with it first. '' finds all. */
export async function searchServers(
  ctx: Context,
  asker: Asker,
  query: { text: string; limit: number },
): Promise<ServerView[]> {
  authorise(asker, 'servers.read');
  const text = query.text.trim().slice(0, MAX_TYPED).replaceAll('\0', '');
  const rows = await servers.searchServers(ctx.database, { text, limit: query.limit });
  const halts = await listStandingHalts(ctx.database);
  const context = { config: ctx.config.current(), halts, now: new Date(), queued: 0 };
  return rows.map((row) => toServerView(row, context));
}

/** The one server that a text names; null where it names none, or several. */
export async function findMentionedServer(ctx: Context, asker: Asker, text: string): Promise<string | null> {
  authorise(asker, 'servers.read');
  const words = text.slice(0, MAX_MENTIONING).match(/[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/g) ?? [];
  const found = await servers.findServersByNames(ctx.database, [...new Set(words)]);
  const [only] = found;
  return found.length === 1 ? (only?.name ?? null) : null;
}

export async function hasServers(ctx: Context, asker: Asker): Promise<boolean> {
  return (await searchServers(ctx, asker, { text: '', limit: 1 })).length > 0;
}
