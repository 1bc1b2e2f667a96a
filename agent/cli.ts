import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { InvalidInputError, isWrongUse, MedicError } from '../domain/errors.ts';
import { suggestNearest } from '../domain/nearest-word.ts';
import { allowCommand } from './commands/allow.ts';
import { checkCommand } from './commands/check.ts';
import { enrollCommand } from './commands/enroll.ts';
import { polkitCommand } from './commands/polkit.ts';
import { rotateKeyCommand } from './commands/rotate-key.ts';
import { runCommand } from './commands/run.ts';
import { witnessCommand } from './commands/witness.ts';
import type { Environment } from './config.ts';
import { readErrorMessage } from './failure.ts';

export interface AgentCommand {
  summary: string;
  options: NonNullable<ParseArgsConfig['options']>;
  /** Answers the exit code; throws MedicError with a sentence for the person. */
  run(input: CommandInput): Promise<number>;
}

export interface CommandInput {
  env: Environment;
  values: Readonly<Record<string, unknown>>;
  positionals: readonly string[];
  /** `data` with --json, else `words`. */
  print(data: unknown, words: string): void;
  printError(text: string): void;
}

const COMMANDS: Readonly<Record<string, AgentCommand>> = {
  enroll: enrollCommand,
  run: runCommand,
  check: checkCommand,
  allow: allowCommand,
  polkit: polkitCommand,
  'rotate-key': rotateKeyCommand,
  witness: witnessCommand,
};
const FAILED = 1;
const WRONG_USE = 2;

/** `argv` without node and script. Answers the exit code: 0 done, 1 failed, 2 wrong use. Never throws. */
export async function runAgentCommand(argv: string[], env: Environment): Promise<number> {
  const printError = (text: string): void => {
    process.stderr.write(text);
  };
  const isJson = argv.includes('--json');
  try {
    const [name = '--help', ...rest] = argv;
    if (name === '--help' || name === '-h' || name === 'help') return showHelp();
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) {
      const message = `"${name}" is no command of the agent.${suggestNearest(name, Object.keys(COMMANDS))} See --help.`;
      throw new InvalidInputError(message, { code: 'unknown_command' });
    }
    const { values, positionals } = readArguments(command, rest);
    if (values['help'] === true) return showHelp(command);
    const print = (data: unknown, words: string): void => {
      process.stdout.write(`${isJson ? JSON.stringify(data) : words}\n`);
    };
    return await command.run({ env, values, positionals, print, printError });
  } catch (error) {
    return explain(error, { isJson, printError });
  }
}

function readArguments(command: AgentCommand, args: string[]) {
  const options = { ...command.options, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  try {
    return parseArgs({ args, options, allowPositionals: command === allowCommand, strict: true });
  } catch (cause) {
    const message = readErrorMessage(cause).split('. ')[0] ?? '';
    throw new InvalidInputError(`${message}. See --help.`, { code: 'wrong_use', cause });
  }
}

function showHelp(command?: AgentCommand): number {
  const shown = command === undefined ? Object.values(COMMANDS) : [command];
  const lines = shown.map((entry) => `  medic agent ${entry.summary}\n`);
  process.stdout.write(
    `Usage:\n${lines.join('')}\n--json prints data as JSON. Settings: MEDIC_CONTROL_PLANE_URL, MEDIC_AGENT_DIR, MEDIC_AGENT_PLAYBOOKS.\n`,
  );
  return 0;
}

function explain(error: unknown, { isJson, printError }: { isJson: boolean; printError(text: string): void }): number {
  const code = error instanceof MedicError ? error.code : 'unexpected';
  const message = readErrorMessage(error);
  printError(isJson ? `${JSON.stringify({ code, message })}\n` : `medic agent: ${message}\n`);
  return isWrongUse(error) ? WRONG_USE : FAILED;
}
