import { Command } from 'commander';
import { InvalidInputError } from '../../domain/errors.ts';
import type { HaltReach } from '../../domain/halt.ts';
import { describeReach, describeRelease, describeVoided, nameReach } from '../../domain/halt.ts';
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
  tag?: string;
  playbook?: string;
  all?: boolean;
}

export function createCommand({ env }: CommandInput): Command {
  const callApi = createApiClient(env);
  const command = new Command('halt')
    .description('Nothing starts any more; needs MEDIC_URL and MEDIC_TOKEN')
    .option('--reason <text>', 'why')
    .option('--tag <tag>', 'only on servers with this tag')
    .option('--playbook <name>', 'only this playbook, on every server')
    .option('--until <time>', 'ISO 8601: it ends by itself')
    .option('--for <duration>', 'the same, counted from now, such as 2h')
    .option('--json', 'prints JSON')
    .action((options: Options) => declare(callApi, options));
  command
    .command('list')
    .description('what is halted now')
    .option('--all', 'those that were lifted, too')
    .option('--json', 'prints JSON')
    .action((options: Options) => list(callApi, options));
  command
    .command('lift <id>')
    .description('ends it; what waited there is cancelled, not released')
    .option('--reason <text>', 'why')
    .option('--json', 'prints JSON')
    .action((id: string, options: Options) => lift(callApi, id, options));
  return command;
}

async function declare(callApi: ApiClient, { json, reason, tag, playbook, ...times }: Options): Promise<void> {
  if (reason === undefined) {
    throw new InvalidInputError('Say why: medic halt --reason "…". `medic halt list` shows what is halted.', {
      code: 'wrong_use',
    });
  }
  const until = readUntil(times);
  const body = {
    reason,
    ...(until === undefined ? {} : { until }),
    ...(tag === undefined ? {} : { tag }),
    ...(playbook === undefined ? {} : { playbook }),
  };
  const halt = await callApi('POST', '/halts', body);
  const end = typeof halt['until'] === 'string' ? `until ${halt['until']}` : 'until it is lifted';
  print(json, halt, `${describeReach(reachOf(halt))} ${end}: medic halt lift ${String(halt['id'])}.`);
}

async function list(callApi: ApiClient, { json, all }: Options): Promise<void> {
  const items: Json[] = [];
  for (let after: unknown = null; ;) {
    const query = new URLSearchParams({
      ...(all === true ? {} : { standing: 'true' }),
      ...(typeof after === 'string' ? { after } : {}),
    });
    const page = await callApi('GET', `/halts?${query.toString()}`);
    items.push(...(page['items'] as Json[]));
    after = page['next'];
    if (after === null || after === undefined) break;
  }
  const rows = items.map((one) => [
    String(one['id']),
    nameReach(reachOf(one)),
    String(one['declared_by']),
    String(one['declared_at']),
    one['lifted_at'] === null ? String(one['until'] ?? 'it is lifted') : `lifted by ${String(one['lifted_by'])}`,
    String(one['reason']),
  ]);
  print(json, { items }, formatTable(['ID', 'WHAT', 'BY', 'SINCE', 'UNTIL', 'REASON'], rows, 'Nothing is halted.'));
}

async function lift(callApi: ApiClient, id: string, { json, reason }: Options): Promise<void> {
  const halt = await callApi('POST', `/halts/${encodeURIComponent(id)}/lift`, reason === undefined ? {} : { reason });
  const { items } = await callApi('GET', '/halts?standing=true');
  const standing = (items as Json[]).map((one) => ({ ...reachOf(one), id: Number(one['id']) }));
  print(json, halt, `${describeRelease(reachOf(halt), standing)} ${describeVoided(Number(halt['voided']))}`);
}

function reachOf(halt: Json): HaltReach {
  return { scope: halt['scope'], value: halt['value'] } as HaltReach;
}
