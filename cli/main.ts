import { Command, CommanderError } from 'commander';
import { suggestNearest } from '../domain/nearest-word.ts';
import type { RawEnvironment } from '../services/config/environment.ts';
import { COMMAND_GROUPS } from './command-groups.ts';
import { EXIT, explainError } from './exit.ts';

/**
 * `medic <subcommand>`: loads only the file of the subcommand that was asked for, so that `--help` is quick. Exit
 * codes (contract §2): 0 done, 1 failed, 2 wrong use, 3 refused by policy.
 */
async function main(argv: readonly string[], env: RawEnvironment): Promise<number> {
  const [name] = argv;
  const group = COMMAND_GROUPS.find((candidate) => candidate.name === name);
  const program = new Command('medic')
    .description('Repairing servers from chat, safely.')
    .exitOverride()
    .enablePositionalOptions() // `halt --json` and `halt list --json` are two options: each belongs to its own verb
    .configureOutput({ outputError: () => undefined });
  for (const known of COMMAND_GROUPS) {
    if (known !== group) program.command(known.name).description(known.summary);
  }
  try {
    if (name !== undefined && group === undefined && !name.startsWith('-') && name !== 'help') return refuseWord(name);
    if (name === undefined) {
      process.stdout.write(program.helpInformation());
      return EXIT.wrongUse;
    }
    const state = { exitCode: EXIT.done as number };
    if (group !== undefined) {
      const command = (await group.load()).createCommand({ env, setExitCode: (code) => (state.exitCode = code) });
      inherit(command, program);
      program.addCommand(command);
    }
    await program.parseAsync([...argv], { from: 'user' });
    return state.exitCode;
  } catch (error) {
    return told(error);
  }
}

/** Commander hands these settings only to subcommands that it creates itself. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) inherit(inner, command);
}

function refuseWord(word: string): number {
  const names = COMMAND_GROUPS.map(({ name }) => name);
  const hint = suggestNearest(word, names) || ' `medic --help` lists them.';
  process.stderr.write(`There is no subcommand ${JSON.stringify(word)}.${hint}\n`);
  return EXIT.wrongUse;
}

function told(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.done; // help or version was shown
    // a group without its verb: the help that was shown says it all
    if (error.code !== 'commander.help') process.stderr.write(`${error.message.replace(/^error: /, '')}\n`);
    return EXIT.wrongUse;
  }
  const { sentence, exitCode } = explainError(error);
  process.stderr.write(`${sentence}\n`);
  return exitCode;
}

process.exitCode = await main(process.argv.slice(2), Object.freeze({ ...process.env }));
