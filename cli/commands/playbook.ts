import { Command } from 'commander';
import { formatDuration } from '../../domain/duration.ts';
import { InvalidInputError } from '../../domain/errors.ts';
import { formatProblem } from '../../playbook/format-problem.ts';
import { checkParams, coerceTypedParams } from '../../playbook/params.ts';
import type { Playbook, Retry, Step } from '../../playbook/playbook.ts';
import { previewSteps } from '../../playbook/render.ts';
import type { RawEnvironment } from '../../services/config/environment.ts';
import type { CommandInput } from '../command-groups.ts';
import { EXIT } from '../exit.ts';
import { readCatalog, readOnePlaybook, readPlaybookFile } from '../playbook-source.ts';
import { formatTable, print } from '../print.ts';

interface Options {
  dir?: string;
  json?: boolean;
  dryRun?: boolean;
}

type SetExitCode = CommandInput['setExitCode'];

export function createCommand({ env, setExitCode }: CommandInput): Command {
  const command = new Command('playbook').description(
    'Playbooks, offline: of --dir, of MEDIC_CONFIG, or the shipped ones',
  );
  const add = (usage: string, description: string): Command =>
    command.command(usage).description(description).option('--json', 'prints JSON');
  const dir = ['--dir <directory>', 'where the playbooks stand'] as const;
  add('list', 'name, risk and digest of each')
    .option(...dir)
    .action((options: Options) => list({ env, setExitCode }, options));
  add('show <name-or-file>', 'one playbook, its parameters and steps')
    .option(...dir)
    .action((nameOrFile: string, options: Options) => show(env, nameOrFile, options));
  add('validate <files...>', 'tells every mistake with its place; the digest where there is none').action(
    (files: string[], options: Options) => validate(files, options, setExitCode),
  );
  add('run <name-or-file> [params...]', 'with --dry-run: what it would start; parameters as key=value')
    .option(...dir)
    .option('--dry-run', 'renders and checks, starts nothing')
    .action((nameOrFile: string, words: string[], options: Options) => run(env, { nameOrFile, words, options }));
  return command;
}

async function list({ env, setExitCode }: CommandInput, { dir, json }: Options): Promise<void> {
  const { playbooks, problems } = await readCatalog(env, dir);
  const items = [...playbooks.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const data = items.map(({ name, title, risk, digest }) => ({ name, title, risk, digest }));
  const rows = data.map(({ name, title, risk, digest }) => [name, risk, title, digest]);
  print(json, data, formatTable(['PLAYBOOK', 'RISK', 'TITLE', 'DIGEST'], rows, 'There is no playbook.'));
  if (problems.length === 0) return;
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  setExitCode(EXIT.failed);
}

async function show(env: RawEnvironment, nameOrFile: string, { dir, json }: Options): Promise<void> {
  const playbook = await readOnePlaybook(env, { nameOrFile, directory: dir });
  print(json, toJson(playbook), describe(playbook));
}

function toJson({ timeoutMs, maxTimeoutMs, isIdempotent, retry, ...rest }: Playbook): object {
  const times = { timeout_s: timeoutMs / 1000, max_timeout_s: maxTimeoutMs / 1000 };
  return { ...rest, ...times, idempotent: isIdempotent, retry: retry === null ? null : toRetryJson(retry) };
}

function toRetryJson({ attempts, backoffMs, maxBackoffMs }: Retry): object {
  return { attempts, backoff_s: backoffMs / 1000, max_backoff_s: maxBackoffMs / 1000 };
}

function describeRetry({ retry, isIdempotent }: Playbook): string[] {
  if (retry === null) return [];
  const { attempts, backoffMs, maxBackoffMs } = retry;
  const waits = `after ${formatDuration(backoffMs)}, at most ${formatDuration(maxBackoffMs)}`;
  const when = isIdempotent ? '' : ', and only where nothing was started';
  return [`tried ${attempts} times in all, again ${waits}${when}`];
}

function describe(playbook: Playbook): string {
  const { name, title, description, risk, digest, timeoutMs, maxTimeoutMs } = playbook;
  const params = Object.entries(playbook.params).map(([param, spec]) => [
    param,
    spec.type,
    spec.default === undefined ? 'required' : `default ${String(spec.default)}`,
    spec.description ?? '',
  ]);
  const longest = `${formatDuration(timeoutMs)}, at most ${formatDuration(maxTimeoutMs)}`;
  return [
    `${name}: ${title}`,
    ...(description === '' ? [] : [description]),
    `risk ${risk}; timeout ${longest}; ${digest}`,
    ...describeRetry(playbook),
    '',
    formatTable(['PARAMETER', 'TYPE', 'VALUE', ''], params, 'It takes no parameters.'),
    ...(['steps', 'verify', 'rollback'] as const).flatMap((part) =>
      playbook[part].length === 0 ? [] : ['', part, ...playbook[part].map((step) => `  ${describeStep(step)}`)],
    ),
  ].join('\n');
}

function describeStep(step: Step): string {
  if (step.kind === 'run') return formatArgv(step.argv);
  return formatArgv([step.uses, ...Object.entries(step.with).map(([key, value]) => `${key}=${value}`)]);
}

async function validate(files: string[], { json }: Options, setExitCode: SetExitCode): Promise<void> {
  const checked = await Promise.all(files.map(async (file) => ({ file, ...(await readPlaybookFile(file)) })));
  const data = checked.map(({ file, playbook, problems }) => ({
    file,
    name: playbook?.name ?? null,
    digest: playbook?.digest ?? null,
    problems,
  }));
  const lines = checked.flatMap(({ file, playbook, problems }) =>
    playbook === undefined ? problems.map(formatProblem) : [`${file}: ${playbook.name} ${playbook.digest}`],
  );
  print(json, data, lines.join('\n'));
  if (checked.some(({ playbook }) => playbook === undefined)) setExitCode(EXIT.failed);
}

async function run(
  env: RawEnvironment,
  { nameOrFile, words, options }: { nameOrFile: string; words: string[]; options: Options },
): Promise<void> {
  const { dir, json, dryRun } = options;
  if (dryRun !== true) {
    const message = 'Here a playbook is only rendered: add --dry-run, or ask for it with `medic action request`.';
    throw new InvalidInputError(message, { code: 'dry_run_only' });
  }
  const playbook = await readOnePlaybook(env, { nameOrFile, directory: dir });
  const checked = checkParams(playbook, coerceTypedParams(playbook, readPairs(words)));
  if ('errors' in checked) {
    const message = checked.errors.map((error) => error.message).join(' ');
    throw new InvalidInputError(message, { code: checked.errors[0]?.code ?? 'invalid_params', fields: checked.errors });
  }
  const argv = previewSteps(playbook, checked.values);
  const data = { playbook: playbook.name, digest: playbook.digest, params: checked.values, argv };
  print(json, data, `[\n${argv.map((step) => `  ${formatArgv(step)}`).join(',\n')}\n]`);
}

function readPairs(words: readonly string[]): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf('=');
    const name = word.slice(0, at);
    if (at < 1 || pairs.has(name)) {
      const what = at < 1 ? 'is no parameter: write key=value' : 'stands there twice';
      throw new InvalidInputError(`${JSON.stringify(at < 1 ? word : name)} ${what}.`, { code: 'malformed_pair' });
    }
    pairs.set(name, word.slice(at + 1));
  }
  return Object.fromEntries(pairs);
}

/** JSON with a space behind each comma, one line. */
function formatArgv(argv: readonly string[]): string {
  return `[${argv.map((argument) => JSON.stringify(argument)).join(', ')}]`;
}
