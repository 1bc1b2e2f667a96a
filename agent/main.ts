import { runAgentCommand } from './cli.ts';

process.exitCode = await runAgentCommand(process.argv.slice(2), process.env);
