import { runAgent } from '../agent.ts';
import { readAgentConfig } from '../config.ts';
import { createLog } from '../log.ts';
import type { AgentCommand } from '../cli.ts';

export const runCommand: AgentCommand = {
  summary: 'run                                   call the control plane and run what it may ask for',
  options: {},
  async run({ env, printError }) {
    const config = readAgentConfig(env);
    const stop = new AbortController();
    const end = (): void => {
      stop.abort();
    };
    process.once('SIGTERM', end);
    process.once('SIGINT', end);
    try {
      await runAgent({ config, log: createLog({ write: printError, level: config.logLevel }), signal: stop.signal });
    } finally {
      process.removeListener('SIGTERM', end);
      process.removeListener('SIGINT', end);
    }
    return 0;
  },
};
