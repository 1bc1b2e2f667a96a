import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { parseDurationMs } from '../../domain/duration.ts';
import { InvalidInputError, TooManyRequestsError, UnavailableError } from '../../domain/errors.ts';
import { findNearestWord } from '../../domain/nearest-word.ts';
import { coerceTypedParams } from '../../playbook/params.ts';
import type { RawEnvironment } from '../../services/config/environment.ts';
import type { ApiClient, Json } from '../api-client.ts';
import { createApiClient } from '../api-client.ts';
import type { CommandInput } from '../command-groups.ts';
import { describeAction, describeActionFully } from '../describe-action.ts';
import { EXIT } from '../exit.ts';
import { addReplay } from '../add-replay.ts';
import { readCatalog } from '../playbook-source.ts';
import { formatTable, print, toPlainText } from '../print.ts';

interface Options {
  json?: boolean;
  reason?: string;
  dryRun?: boolean;
  wait?: boolean;
  timeout?: string;
  limit?: string;
  after?: string;
  status?: string;
  server?: string;
  playbook?: string;
  playbookDigest?: string;
  confirmServer?: string;
  totp?: string;
  breakGlass?: boolean;
}

const OPEN = ['pending', 'approved', 'executing'];
const POLL_MS = 500;
const AWAY_LIMIT_MS = 120_000; // a restart of the control plane, with its migration

export function createCommand({ env, setExitCode }: CommandInput): Command {
  const callApi = createApiClient(env);
  const command = new Command('action').description('Actions; needs MEDIC_URL and MEDIC_TOKEN');
  command
    .command('request <playbook> <server> [params...]')
    .description('asks for an action; parameters as key=value')
    .option('--reason <text>', 'why')
    .option('--timeout <duration>', 'how long it may run, such as 90s; at most max_timeout of the playbook')
    .option('--dry-run', 'renders and checks, starts nothing')
    .option('--wait', 'waits for the end: 0 if it completed, 3 if it was rejected, else 1')
    .option('--json', 'prints JSON')
    .action(async (playbook: string, server: string, params: string[], options: Options) => {
      const read = await readParams(env, playbook, params);
      const requested = await request(callApi, { playbook, server, params: read, options });
      if (options.wait !== true) {
        print(options.json, requested, describeAction(requested));
        return;
      }
      const ended = await waitForEnd(callApi, requested);
      print(options.json, ended, describeActionFully(ended));
      setExitCode(exitCodeOf(String(ended['status'])));
    });
  command
    .command('list')
    .description('actions, newest first')
    .option('--status <status>')
    .option('--server <name>')
    .option('--playbook <name>')
    .option('--limit <count>', 'how many at most')
    .option('--after <cursor>', 'goes on where a list ended: its `next`')
    .option('--json', 'prints JSON')
    .action((options: Options) => list(callApi, options));
  command
    .command('show <id>')
    .description('one action with its output')
    .option('--json', 'prints JSON')
    .action(async (id: string, { json }: Options) => {
      const action = await callApi('GET', pathOf(id));
      print(json, action, describeActionFully(action));
    });
  command
    .command('why <id>')
    .description('the rule of an action, who may approve it, who has, and who could not')
    .option('--json', 'prints JSON')
    .action(async (id: string, { json }: Options) => {
      const told = await callApi('GET', `${pathOf(id)}/why`);
      print(json, told, describeExplanation(told));
    });
  for (const verb of ['approve', 'reject', 'cancel'] as const) addDecision({ command, callApi, verb });
  addReplay(command, callApi);
  return command;
}

function describeExplanation(told: Json): string {
  const named = (key: string, tell: (one: Json) => string): string[] => (told[key] as Json[]).map(tell);
  const may = (told['may'] as string[]).join(', ') || 'nobody';
  const waiting = told['end'] === null ? `May approve now: ${may}.` : String(told['end']);
  const has = named('has', ({ by, at }) => `${String(by)} approved at ${String(at)}.`);
  return [
    String(told['rule']),
    waiting,
    ...(typeof told['waits'] === 'string' ? [told['waits']] : []),
    ...has,
    ...named('could_not', ({ name, why }) => `${String(name)} ${String(why)}.`),
  ].join('\n');
}

function addDecision(input: { command: Command; callApi: ApiClient; verb: 'approve' | 'reject' | 'cancel' }): void {
  const { command, callApi, verb } = input;
  const sub = command.command(`${verb} <id>`).description(`${verb}s it`).option('--json', 'prints JSON');
  if (verb === 'reject') sub.requiredOption('--reason <text>', 'why');
  else sub.option('--reason <text>', 'why');
  if (verb === 'approve') addProofs(sub);
  sub.action(async (id: string, options: Options) => {
    const { json, reason, playbookDigest, confirmServer, totp, breakGlass } = options;
    const action = await callApi('POST', `${pathOf(id)}/${verb}`, {
      ...(reason === undefined ? {} : { reason }),
      ...(playbookDigest === undefined ? {} : { playbook_digest: playbookDigest }),
      ...(confirmServer === undefined ? {} : { confirm_server: confirmServer }),
      ...(totp === undefined ? {} : { totp }),
      ...(breakGlass === true ? { break_glass: true } : {}),
    });
    print(json, action, `${String(action['sentence'])}\n${describeAction(action)}`);
  });
}

function addProofs(command: Command): void {
  command
    .option('--playbook-digest <digest>', 'what you saw; refused if it is another')
    .option('--confirm-server <name>', 'the server’s name: risk high and critical ask for it, and for --reason')
    .option('--totp <code>', 'a one-time code: risk critical asks for it')
    .option('--break-glass', 'as an admin, past quorum, group and code; takes --reason and is told in the channel');
}

async function request(
  callApi: ApiClient,
  input: { playbook: string; server: string; params: Json; options: Options },
): Promise<Json> {
  const { playbook, server, params, options } = input;
  return callApi('POST', '/actions', {
    playbook,
    server,
    params,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    ...(options.timeout === undefined ? {} : { timeout_s: readTimeoutS(options.timeout) }),
    ...(options.dryRun === true ? { dry_run: true } : {}),
  });
}

/** Tells the id first, so that whoever gives up waiting can still find it. Outlives a restart of the control plane. */
async function waitForEnd(callApi: ApiClient, requested: Json): Promise<Json> {
  const path = pathOf(String(requested['id']));
  const isPending = requested['status'] === 'pending';
  const why = isPending ? ` ${String(requested['approval_rule'])}` : '';
  process.stderr.write(`${toPlainText(`Waiting for ${describeAction(requested)}.${why}`)}\n`);
  let action = requested;
  let heardAt = performance.now();
  while (OPEN.includes(String(action['status']))) {
    await delay(POLL_MS);
    try {
      action = await callApi('GET', path);
      heardAt = performance.now();
    } catch (error) {
      if (!isPassing(error) || performance.now() - heardAt > AWAY_LIMIT_MS) throw error;
    }
  }
  return action;
}

function isPassing(error: unknown): boolean {
  return error instanceof UnavailableError || error instanceof TooManyRequestsError;
}

function exitCodeOf(status: string): number {
  if (status === 'completed') return EXIT.done;
  return status === 'rejected' ? EXIT.refused : EXIT.failed;
}

/**
 * `key=value` is text, made an integer or a boolean where a playbook of that name is known here and says so;
 * `key:=json` is what it says.
 */
async function readParams(env: RawEnvironment, playbook: string, words: readonly string[]): Promise<Json> {
  const texts: Record<string, string> = {};
  const typed: Json = {};
  for (const word of words) {
    const [, key = '', isJson, value = ''] = /^([^=:]+)(:)?=(.*)$/s.exec(word) ?? [];
    if (key === '') throw refuseWord(word);
    if (isJson === undefined) texts[key] = value;
    else typed[key] = readJson(key, value);
  }
  const { playbooks } = await readCatalog(env, undefined);
  const known = playbooks.get(playbook.replaceAll('_', '-'));
  return { ...(known === undefined ? texts : coerceTypedParams(known, texts)), ...typed };
}

function refuseWord(word: string): InvalidInputError {
  const hint = findNearestWord(word, ['--reason', '--wait', '--dry-run']);
  const message = `"${word}" is no parameter: write key=value.${hint === undefined ? '' : ` Did you mean "${hint}"?`}`;
  return new InvalidInputError(message, { code: 'wrong_use' });
}

function readJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `What follows ${key}:= must be JSON, such as 5 or true; for a text write ${key}=${text}.`;
    throw new InvalidInputError(message, { code: 'wrong_use', cause });
  }
}

function readTimeoutS(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined) return ms / 1000;
  const message = `--timeout must be a duration such as 90s or 10m, not ${JSON.stringify(text)}.`;
  throw new InvalidInputError(message, { code: 'wrong_use' });
}

function pathOf(id: string): string {
  return `/actions/${encodeURIComponent(id)}`;
}

async function list(callApi: ApiClient, { json, status, server, playbook, limit, after }: Options): Promise<void> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ status, server, playbook, limit, after }))
    if (value !== undefined) query.set(name, value);
  const page = await callApi('GET', `/actions?${query.toString()}`);
  const columns = ['id', 'status', 'playbook', 'server', 'requested_by', 'requested_at'];
  const rows = (page['items'] as Json[]).map((one) => columns.map((name) => String(one[name] ?? '')));
  const head = columns.map((name) => name.toUpperCase());
  const more = typeof page['next'] === 'string' ? `\nThere are more: --after ${page['next']}` : '';
  print(json, page, `${formatTable(head, rows, 'There is no such action.')}${more}`);
}
