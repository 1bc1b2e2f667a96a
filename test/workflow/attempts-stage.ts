import { stringify } from 'yaml';
import { createActivities } from '../../activities/index.ts';
import { parsePlaybook } from '../../playbook/parse.ts';
import type { CommandPayload } from '../../protocol/messages.ts';
import type { ActionView } from '../../services/actions/action-view.ts';
import { cancelAction } from '../../services/actions/decide-action.ts';
import { getAction } from '../../services/actions/read-actions.ts';
import { requestAction } from '../../services/actions/request-action.ts';
import type { TestControlPlane } from '../support/context.ts';
import { poll } from '../support/poll.ts';
import { createResult, createScriptedAgent } from '../support/scripted-agent.ts';
import { insertTestServer } from '../support/servers.ts';

/** One action that may be tried three times, on a server of its own. */
export interface Run {
  id: string;
  serverId: string;
  server: string;
  agent: ReturnType<typeof createScriptedAgent>;
  read(): Promise<ActionView>;
  waitFor(what: string, isSo: (action: ActionView) => boolean): Promise<ActionView>;
  /** The agent holds the next command and says that it has started it. */
  start(): Promise<CommandPayload>;
  /** Fetches the next command and reports this result of it. */
  end(result: object): Promise<CommandPayload>;
  /** As if nothing had been heard of the agent since the command was started. */
  lose(): Promise<void>;
  enforceDeadline(): Promise<unknown>;
  cancel(): Promise<void>;
}

export async function startRun(
  plane: TestControlPlane,
  input: { isIdempotent: boolean; backoff?: string },
): Promise<Run> {
  const playbook = addPlaybook(plane, input);
  const { id: serverId, name: server } = await insertTestServer(plane.ctx);
  const agent = createScriptedAgent(plane.ctx, serverId);
  const { id } = await requestAction(plane.ctx, plane.asker('ana'), { server, playbook, params: {} });
  const read = (): Promise<ActionView> => getAction(plane.ctx, plane.asker('ana'), id);
  const { enforceDeadline } = createActivities({ database: plane.ctx.database });
  const waitFor: Run['waitFor'] = async (what, isSo) => {
    await poll(what, async () => isSo(await read()));
    return read();
  };
  const start = async (): Promise<CommandPayload> => {
    const command = await agent.fetchCommand();
    await agent.beatOnce({ running: [command.command_id] });
    await waitFor('it to run', ({ status, nextAttemptAt }) => status === 'executing' && nextAttemptAt === null);
    return command;
  };
  const lose = async (): Promise<void> => {
    const longAgo = new Date(Date.now() - 3_600_000);
    await plane.ctx.database.kysely.updateTable('actions').set({ executed_at: longAgo }).where('id', '=', id).execute();
    await enforceDeadline(id);
  };
  const end = async (result: object): Promise<CommandPayload> => {
    const command = await agent.fetchCommand();
    await agent.beatOnce({ results: [createResult(command, result)] });
    return command;
  };
  const cancel = async (): Promise<void> => {
    await cancelAction(plane.ctx, plane.asker('bob'), { actionId: id });
  };
  return {
    ...{ id, serverId, server, agent, read, waitFor, start, end, lose, cancel },
    enforceDeadline: () => enforceDeadline(id),
  };
}

/** A playbook with `retry`, by its name; each kind once. */
function addPlaybook(plane: TestControlPlane, input: { isIdempotent: boolean; backoff?: string }): string {
  const { isIdempotent, backoff = '1h' } = input;
  const name = `retried-${isIdempotent ? 'often' : 'once'}-${backoff}`;
  const text = stringify({
    name,
    title: 'A repair that is tried again',
    risk: 'low',
    timeout: '60s',
    idempotent: isIdempotent,
    retry: { attempts: 3, backoff, max_backoff: backoff },
    steps: [{ run: ['/bin/true'] }],
  });
  const { playbook } = parsePlaybook({ file: `${name}.yaml`, text });
  if (playbook === undefined) throw new Error('the playbook of this test is broken');
  plane.config.playbooks = new Map([...plane.config.playbooks, [name, playbook]]);
  return name;
}
