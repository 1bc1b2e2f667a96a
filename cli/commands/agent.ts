import { Command } from 'commander';
import { runAgentCommand } from '../../agent/cli.ts';
import type { CommandInput } from '../command-groups.ts';

/** The agent ships alone and reads its own arguments; here they are only handed over, --help too. */
export function createCommand({ env, setExitCode }: CommandInput): Command {
  const command = new Command('agent');
  command.copyInheritedSettings = () => command; // or the parent's --help would come back
  return command
    .description('on a server: enroll, run, check, allow, polkit')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[args...]')
    .action(async (args: string[]) => {
      setExitCode(await runAgentCommand(args, env));
    });
}
