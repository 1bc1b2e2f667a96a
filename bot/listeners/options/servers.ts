import { haltCode } from '../../../domain/halt.ts';
import { searchServers } from '../../../services/servers/search-servers.ts';
import type { ServerView } from '../../../services/servers/server-view.ts';
import { createOption, MAX_OPTIONS } from '../../blocks/param-inputs.ts';
import type { Suggester } from './index.ts';

/** Servers by name and tag, each with what would hold a request up there. */
export const suggestServers: Suggester = async ({ deps, asker, typed, entered }) => {
  const found = await searchServers(deps.ctx, asker, { text: typed, limit: MAX_OPTIONS });
  return found.map((server) => createOption(server.name, server.name, describe(server, entered.playbook)));
};

function describe(server: ServerView, playbook: string): string {
  const state = server.status === 'never_seen' ? 'never heard of' : server.status;
  const paused = server.paused ? [`paused by ${server.pausedBy ?? 'somebody'}`] : [];
  const halted = server.halt === null ? [] : [haltCode(server.halt)];
  const isKnown = playbook === '' || server.status === 'never_seen';
  const has = isKnown || server.playbooks.some(({ name }) => name === playbook);
  return [state, ...halted, ...paused, ...(has ? [] : [`has no ${playbook}`])].join(', ');
}
