import { Command } from 'commander';
import { runAgentCommand } from '../../agent/cli.ts';

/** The agent ships alone and reads its own arguments; here they are only handed over, --help too. */
export function createCommand(setExitCode: (code: number) => void): Command {
  const command = new Command('agent');
  command.copyInheritedSettings = () => command; // or the parent's --help would come back
  return command
    .description('on a server: enroll, run, check, allow, polkit')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[args...]')
    .action(async (args: string[]) => {
      setExitCode(await runAgentCommand(args, process.env));
    });
}
