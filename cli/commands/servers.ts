import { Command } from 'commander';
import { parseDurationMs } from '../../domain/duration.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import type { HaltReach } from '../../domain/halt.ts';
import { haltCode } from '../../domain/halt.ts';
import type { ApiClient, Json } from '../api-client.ts';
import { createApiClient } from '../api-client.ts';
import type { CommandInput } from '../command-groups.ts';
import { formatTable, print } from '../print.ts';
import { readUntil } from '../read-until.ts';

interface Options {
  json?: boolean;
  reason?: string;
  until?: string;
  for?: string;
  tag?: string[];
  ttl?: string;
}

export function createCommand({ env }: CommandInput): Command {
  const callApi = createApiClient(env);
  const command = new Command('servers').description('Servers; needs MEDIC_URL and MEDIC_TOKEN');
  command
    .command('list')
    .description('all servers')
    .option('--json', 'prints JSON')
    .action((options: Options) => list(callApi, options));
  command
    .command('show <server>')
    .description('one server, by name or id')
    .option('--json', 'prints JSON')
    .action(async (server: string, { json }: Options) => {
      const one = await callApi('GET', `/servers/${encodeURIComponent(server)}`);
      print(json, one, describeServer(one));
    });
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
    .command('revoke <server>')
    .description('its agent is let in no more; what has not ended there is cancelled')
    .requiredOption('--reason <text>', 'why')
    .option('--json', 'prints JSON')
    .action(async (server: string, { reason, json }: Options) => {
      const revoked = await callApi('POST', `/servers/${encodeURIComponent(server)}/revoke`, { reason });
      print(json, revoked, `${server} is revoked. To let it in again, enrol it with a new token.`);
    });
  command
    .command('enroll <server>')
    .description('a one-time token for an agent; shown once')
    .option('--tag <tag...>', 'tags of the server')
    .option('--ttl <duration>', 'how long the token lives, such as 30m; an hour where it is missing')
    .option('--json', 'prints JSON')
    .action((server: string, options: Options) => enroll(callApi, server, options));
  return command;
}

async function enroll(callApi: ApiClient, server: string, { tag, ttl, json }: Options): Promise<void> {
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

async function list(callApi: ApiClient, { json }: Options): Promise<void> {
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
    typeof one['revoked_at'] === 'string' ? 'revoked' : `${String(one['status'])}${haltOf(one)}`,
    one['paused'] === true ? `paused: ${String(one['pause_reason'])}` : '',
    String(one['last_seen_at'] ?? 'never'),
    describeDamage(one),
  ]);
  print(
    json,
    { items },
    formatTable(['SERVER', 'STATUS', 'PAUSED', 'LAST SEEN', 'JOURNAL'], rows, 'No server is enrolled.'),
  );
}

function describeServer(one: Json): string {
  const pause = `by ${String(one['paused_by'])}: ${String(one['pause_reason'])}`;
  const until = typeof one['paused_until'] === 'string' ? `, until ${one['paused_until']}` : '';
  const playbooks = (one['playbooks'] as Json[]).map(
    ({ name, known }) => `${String(name)}${known === true ? '' : ' (another version)'}`,
  );
  const facts: [string, string][] = [
    ['server', `${String(one['name'])} (${String(one['id'])})`],
    ['tags', (one['tags'] as string[]).join(', ')],
    ['status', `${String(one['status'])}, last seen ${String(one['last_seen_at'] ?? 'never')}`],
    ['agent', String(one['agent_version'] ?? '')],
    ['journal', describeDamage(one)],
    ['paused', one['paused'] === true ? `${pause}${until}` : ''],
    ['work', `${(one['running'] as Json[]).length} running, ${String(one['queued'])} waiting`],
    ['playbooks', playbooks.join(', ')],
  ];
  return facts.flatMap(([label, text]) => (text === '' ? [] : [`${label.padEnd(10)} ${text}`])).join('\n');
}

/** Empty where nothing is wrong with it. */
function describeDamage(one: Json): string {
  const at = one['journal_damaged_at'];
  if (typeof at !== 'string') return '';
  return `damaged, found ${at}: ${String(one['journal_damaged_lines'] ?? 0)} lines cannot be read`;
}

/** `, halted by bob: the disks fill up` */
function haltOf(one: Json): string {
  const halt = one['halt'] as (Json & Pick<HaltReach, 'scope'>) | null | undefined; // an older control plane says nothing
  if (halt === null || halt === undefined) return '';
  return `, ${haltCode(halt)} by ${String(halt['declared_by'])}: ${String(halt['reason'])}`;
}
