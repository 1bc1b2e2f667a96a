import { Command } from 'commander';
import type { HaltReach } from '../../domain/halt.ts';
import { describeReach } from '../../domain/halt.ts';
import { timesInRow } from '../../domain/limits.ts';
import type { ApiClient, Json } from '../api-client.ts';
import { createApiClient } from '../api-client.ts';
import type { CommandInput } from '../command-groups.ts';
import { formatTable, print } from '../print.ts';

export function createCommand({ env }: CommandInput): Command {
  const callApi = createApiClient(env);
  return new Command('queue')
    .description('What waits, why, since when and until when; needs MEDIC_URL and MEDIC_TOKEN')
    .option('--json', 'prints JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const queue = await readAllPages(callApi);
      print(json, queue, describeQueue(queue));
    });
}

/** The totals are those of the first page. */
async function readAllPages(callApi: ApiClient): Promise<Json> {
  const first = await callApi('GET', '/queue');
  const servers = [...(first['servers'] as Json[])];
  for (let after = first['next']; typeof after === 'string';) {
    const page = await callApi('GET', `/queue?after=${encodeURIComponent(after)}`);
    servers.push(...(page['servers'] as Json[]));
    after = page['next'];
  }
  return { ...first, servers, next: null };
}

function describeQueue(queue: Json): string {
  const tags = (queue['tags'] as Json[]).map(
    ({ tag, executing, limit }) => `${String(executing)} of ${String(limit)} execute on servers tagged ${String(tag)}`,
  );
  const totals = [`${fill(queue['waiting'])} wait`, `${fill(queue['executing'])} execute`, ...tags];
  const rows = (queue['servers'] as Json[]).flatMap(listRows);
  const halts = (queue['halts'] as Json[]).map(
    (halt) =>
      `${describeReach(halt as unknown as HaltReach)} by ${String(halt['declared_by'])}: ${String(halt['reason'])}`,
  );
  const held = ((queue['held_back'] ?? []) as Json[]).map(describeHeldBack);
  return [...halts, `${totals.join(', ')}.`, ...held, formatTable(HEAD, rows, 'Nothing waits.')].join('\n');
}

function describeHeldBack({ server, playbook, failures, since, dead_letter: deadLetter }: Json): string {
  const id = String(deadLetter).slice(0, 8);
  const why = `Held back: ${String(playbook)} on ${String(server)}, since ${String(since)}, failed ${timesInRow(Number(failures))}`;
  return `${why}; medic dead-letters show ${id}, then replay or dismiss it`;
}

const HEAD = ['SERVER', 'ID', 'PLAYBOOK', 'STATUS', 'SINCE', 'UNTIL', 'WHY'];

function listRows(one: Json): string[][] {
  const server = String(one['server']);
  const held = one['held'] as Json | null;
  const actions = one['actions'] as Json[];
  const counted = actions.filter(({ status }) => status !== 'executing').length; // what is tried again is not counted
  const left = Number((one['waiting'] as Json)['count']) - counted;
  const heard = one['status'] === 'online' ? 'It was handed to its agent.' : 'Nothing is heard of its agent.';
  const facts = held === null ? [] : [idOf(held), String(held['playbook']), 'held', String(held['since']), '', heard];
  const running = held === null ? [] : [[server, ...facts]];
  return [
    ...running,
    ...actions.map((action) => [
      server,
      idOf(action),
      String(action['playbook']),
      String(action['status']),
      String(action['since']),
      String(action['until'] ?? ''),
      String((action['why'] as Json)['sentence']),
    ]),
    ...(left > 0 ? [[server, `and ${left} more`]] : []),
  ];
}

/** As short as `medic action show` takes it. */
function idOf(action: Json): string {
  return String(action['id']).slice(0, 8);
}

function fill(filling: unknown): string {
  const { count, limit } = filling as { count: number; limit: number };
  return `${count} of ${limit}`;
}
