import { ConfigurationError } from '../../domain/errors.ts';
import { decodeCheckpoint } from '../../protocol/checkpoint.ts';
import { loadIdentity } from '../agent-folder.ts';
import type { AgentCommand } from '../cli.ts';
import { readAgentDir } from '../config.ts';
import { readWitness, WITNESS } from '../witness.ts';

export const witnessCommand: AgentCommand = {
  summary: 'witness [--keys]                      print the checkpoints of the audit log that this server was given',
  options: { keys: { type: 'boolean' } },
  async run({ env, values, print, printError }) {
    const folder = readAgentDir(env);
    const { command_keys, retired_keys = [] } = (await loadIdentity(folder)).enrolment;
    const keys = [...command_keys, ...retired_keys]; // a checkpoint is checked with the key that signed it
    if (values['keys'] === true) {
      print({ keys }, JSON.stringify({ keys }, null, 2));
      return 0;
    }
    const file = await readWitness(folder);
    if (file === undefined) {
      throw new ConfigurationError(`${WITNESS} in ${folder} is damaged.`, { code: 'witness_damaged' });
    }
    const newest = file?.checkpoints.at(-1);
    if (file === null || newest === undefined) {
      const message = 'This server has not been given a checkpoint of the audit log yet.';
      throw new ConfigurationError(message, { code: 'no_checkpoint' });
    }
    const { checkpoints, contradictions } = file;
    const all = [...new Set([...checkpoints, ...contradictions])];
    const count = decodeCheckpoint(newest)?.count ?? 0;
    printError(`${String(all.length)} checkpoints, the newest of ${String(count)} events.\n`);
    if (contradictions.length > 0) printError('Some contradict each other: the audit log may have been rewritten.\n');
    print({ server_id: file.server_id, keys, checkpoints, contradictions }, all.join('\n'));
    return 0;
  },
};
