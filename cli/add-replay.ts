import type { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import { describeAction } from './describe-action.ts';
import { print } from './print.ts';

/** `replay <id>`: the same of `medic action` and of `medic dead-letters`. */
export function addReplay(command: Command, callApi: ApiClient): void {
  command
    .command('replay <id>')
    .description('asks again for what was given up on, with a new approval')
    .option('--reason <text>', 'why; else the reason of the first request')
    .option('--json', 'prints JSON')
    .action(async (id: string, { json, reason }: { json?: boolean; reason?: string }) => {
      const body = reason === undefined ? {} : { reason };
      const action = await callApi('POST', `/actions/${encodeURIComponent(id)}/replay`, body);
      print(json, action, `${describeAction(action)}\n${String(action['sentence'])}`);
    });
}
