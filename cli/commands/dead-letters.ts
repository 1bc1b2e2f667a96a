import { Command } from 'commander';
import { InvalidInputError } from '../../domain/errors.ts';
import { addReplay } from '../add-replay.ts';
import type { ApiClient, Json } from '../api-client.ts';
import { createApiClient } from '../api-client.ts';
import type { CommandInput } from '../command-groups.ts';
import { describeAction, describeActionFully } from '../describe-action.ts';
import { EXIT } from '../exit.ts';
import { formatTable, print } from '../print.ts';

interface Options {
  json?: boolean;
  server?: string;
  playbook?: string;
  code?: string;
  limit?: string;
  after?: string;
  reason?: string;
}

export function createCommand({ env, setExitCode }: CommandInput): Command {
  const callApi = createApiClient(env);
  const command = new Command('dead-letters').description('What was given up on; needs MEDIC_URL and MEDIC_TOKEN');
  addFilter(command.command('list').description('those that wait to be replayed or dismissed, newest first'))
    .option('--limit <count>', 'how many at most')
    .option('--after <cursor>', 'goes on where a list ended: its `next`')
    .option('--json', 'prints JSON')
    .action((options: Options) => list(callApi, options));
  command
    .command('show <id>')
    .description('one of them, with its reason, its attempts and its input')
    .option('--json', 'prints JSON')
    .action(async (id: string, { json }: Options) => {
      const action = await callApi('GET', pathOf(id));
      print(json, action, describeActionFully(action));
    });
  addReplay(command, callApi);
  addFilter(command.command('replay-many').description('replays the latest that match, each by itself'))
    .option('--limit <count>', 'how many at most: 10 unless told, never more than 50')
    .option('--reason <text>', 'why; else the reason of each first request')
    .option('--json', 'prints JSON')
    .action(async (options: Options) => {
      if (!(await replayMany(callApi, options))) setExitCode(EXIT.failed);
    });
  command
    .command('dismiss <id>')
    .description('says that nothing more is to be done about it')
    .requiredOption('--reason <text>', 'why')
    .option('--json', 'prints JSON')
    .action(async (id: string, { json, reason }: Options) => {
      const action = await callApi('POST', `${pathOf(id)}/dismiss`, { reason });
      print(json, action, `${describeAction(action)}\nIt is dismissed.`);
    });
  return command;
}

function addFilter(command: Command): Command {
  return command
    .option('--server <name>')
    .option('--playbook <name>')
    .option('--code <code>', 'why it failed, such as exit_nonzero');
}

function pathOf(id: string): string {
  return `/actions/${encodeURIComponent(id)}`;
}

async function list(callApi: ApiClient, { json, server, playbook, code, limit, after }: Options): Promise<void> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ server, playbook, code, limit, after }))
    if (value !== undefined) query.set(name, value);
  const page = await callApi('GET', `/dead-letters?${query.toString()}`);
  const columns = ['id', 'playbook', 'server', 'failure_code', 'attempt', 'requested_by', 'completed_at'];
  const rows = (page['items'] as Json[]).map((one) => columns.map((name) => String(one[name] ?? '')));
  const head = columns.map((name) => name.toUpperCase());
  const more = typeof page['next'] === 'string' ? `\nThere are more: --after ${page['next']}` : '';
  print(json, page, `${formatTable(head, rows, 'There is no dead letter.')}${more}`);
}

/** True where each was replayed. */
async function replayMany(callApi: ApiClient, options: Options): Promise<boolean> {
  const { json, server, playbook, code, limit, reason } = options;
  const wanted = { server, playbook, code, reason, limit: readLimit(limit) };
  const body = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  const answer = await callApi('POST', '/dead-letters/replay', body);
  const items = answer['items'] as Json[];
  const lines = items.map(
    ({ id, replayed_as: as, sentence }) => `${String(id)}  ${String(as ?? '-')}  ${String(sentence)}`,
  );
  print(json, answer, lines.join('\n'));
  return items.every(({ replayed_as: as }) => as !== null);
}

function readLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidInputError(`--limit must be a whole number, not ${JSON.stringify(text)}.`, { code: 'wrong_use' });
}
