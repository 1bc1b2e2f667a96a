import { openDatabase } from '../db/orm.ts';
import { readSockets } from '../services/slack/sockets.ts';

const REACH_MS = 5_000; // a socket of Slack's is open within a second, or something is in its way

/**
 * What is to be said of the socket that Slack offers at `url`, which is good for one use. Throws with the remedy.
 *
 * Slack hands clicks and commands to any socket that is open, and promises no second delivery of one that nobody
 * acknowledged: so none is opened while a bot serves through its own, which proves the same. Where none does, nothing is
 * taken from anybody: then the socket is opened until Slack says hello, and closed at once.
 */
export async function trySocket(url: string, { databaseUrl }: { databaseUrl: string | null }): Promise<string> {
  const { host } = new URL(url);
  const bots = await countConnected(databaseUrl);
  try {
    await (bots > 0 ? reach(url) : awaitHello(url));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`No socket at ${host} (${why}): let the firewall or proxy pass WebSockets to it.`, { cause });
  }
  if (bots === 0) return `Slack opened a socket at ${host} and said hello`;
  return `Slack gives a socket at ${host}; ${bots === 1 ? 'a bot has its own' : `${bots} bots have theirs`}, so none was opened`;
}

/** 0 where the database cannot say: without it no bot does anything with a click. */
async function countConnected(databaseUrl: string | null): Promise<number> {
  if (databaseUrl === null) return 0;
  const opened = await openDatabase({ url: databaseUrl, poolSize: 1, onError: () => undefined }).catch(() => null);
  if (opened === null) return 0;
  try {
    return (await readSockets({ database: opened })).connected;
  } catch {
    return 0; // the check of the database says why
  } finally {
    await opened.close();
  }
}

/** Any answer will do: it shows that the way there is open. */
async function reach(url: string): Promise<void> {
  const origin = new URL(url);
  origin.protocol = origin.protocol === 'ws:' ? 'http:' : 'https:';
  await fetch(origin.origin, { method: 'HEAD', signal: AbortSignal.timeout(REACH_MS) });
}

async function awaitHello(url: string): Promise<void> {
  const socket = new WebSocket(url);
  const hello = Promise.withResolvers<undefined>();
  const fail = (why: string) => (): void => {
    hello.reject(new Error(why));
  };
  const timer = setTimeout(fail(`nothing said within ${REACH_MS / 1000} s`), REACH_MS);
  socket.addEventListener('error', fail('it did not open'));
  socket.addEventListener('close', fail('it closed'));
  socket.addEventListener('message', ({ data }) => {
    const { type, reason } = readMessage(data);
    if (type === 'hello') hello.resolve(undefined);
    if (type === 'disconnect') fail(`Slack says ${reason}`)();
  });
  try {
    await hello.promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

function readMessage(data: unknown): { type: string; reason: string } {
  try {
    const { type, reason } = JSON.parse(String(data)) as { type?: unknown; reason?: unknown };
    return { type: String(type), reason: String(reason) };
  } catch {
    return { type: '', reason: '' };
  }
}
