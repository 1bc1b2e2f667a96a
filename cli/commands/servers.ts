import { Command } from 'commander';
import { parseDurationMs } from '../../domain/duration.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { Json } from '../api-client.ts';
import { callApi } from '../api-client.ts';
import { formatTable, print } from '../print.ts';

interface Options {
  json?: boolean;
  reason?: string;
  until?: string;
  for?: string;
  tag?: string[];
  ttl?: string;
}

export function createCommand(): Command {
  const command = new Command('servers').description('Servers; needs MEDIC_URL and MEDIC_TOKEN');
  command.command('list').description('all servers').option('--json', 'prints JSON').action(list);
  command
    .command('pause <server>')
    .description('every action there waits for approval')
    .requiredOption('--reason <text>', 'why')
    .option('--until <time>', 'ISO 8601: unpauses by itself')
    .option('--for <duration>', 'the same, counted from now, such as 2h')
    .option('--json', 'prints JSON')
    .action(async (server: string, { reason, json, ...times }: Options) => {
      const until = readUntil(times);
      const body = { reason, ...(until === undefined ? {} : { until }) };
      const paused = await callApi('PUT', `/servers/${encodeURIComponent(server)}/pause`, body);
      const end = typeof paused['paused_until'] === 'string' ? ` until ${paused['paused_until']}` : '';
      print(json, paused, `${server} is paused${end}.`);
    });
  command
    .command('unpause <server>')
    .description('approves nothing that waits')
    .option('--json', 'prints JSON')
    .action(async (server: string, { json }: Options) => {
      print(json, await callApi('PUT', `/servers/${encodeURIComponent(server)}/unpause`), `${server} is unpaused.`);
    });
  command
    .command('enroll <server>')
    .description('a one-time token for an agent; shown once')
    .option('--tag <tag...>', 'tags of the server')
    .option('--ttl <duration>', 'how long the token lives, such as 30m; an hour where it is missing')
    .option('--json', 'prints JSON')
    .action(enroll);
  return command;
}

function readUntil(times: Pick<Options, 'until' | 'for'>): string | undefined {
  if (times.for === undefined) return times.until;
  const ms = parseDurationMs(times.for);
  if (ms !== undefined && times.until === undefined) return new Date(Date.now() + ms).toISOString();
  const message = 'Give either --until with a time, or --for with a duration such as 2h.';
  throw new InvalidInputError(message, { code: 'wrong_use' });
}

async function enroll(server: string, { tag, ttl, json }: Options): Promise<void> {
  const body = {
    server_name: server,
    ...(tag === undefined ? {} : { tags: tag }),
    ...(ttl === undefined ? {} : { ttl_s: readTtlS(ttl) }),
  };
  const made = await callApi('POST', '/servers/enrollment-tokens', body);
  print(json, made, String(made['token']));
}

/** A bare number is seconds, as in the API. */
function readTtlS(text: string): number {
  const ms = parseDurationMs(/^\d+$/.test(text) ? `${text}s` : text);
  if (ms !== undefined) return ms / 1000;
  const message = `--ttl must be a duration such as 30m, or seconds, not ${JSON.stringify(text)}.`;
  throw new InvalidInputError(message, { code: 'wrong_use' });
}

async function list({ json }: Options): Promise<void> {
  const items: Json[] = [];
  for (let after: unknown = null; ;) {
    const page = await callApi(
      'GET',
      `/servers${typeof after === 'string' ? `?after=${encodeURIComponent(after)}` : ''}`,
    );
    items.push(...(page['items'] as Json[]));
    after = page['next'];
    if (after === null || after === undefined) break;
  }
  const rows = items.map((one) => [
    String(one['name']),
    String(one['status']),
    one['paused'] === true ? `paused: ${String(one['pause_reason'])}` : '',
    String(one['last_seen_at'] ?? 'never'),
  ]);
  print(json, { items }, formatTable(['SERVER', 'STATUS', 'PAUSED', 'LAST SEEN'], rows, 'No server is enrolled.'));
}
