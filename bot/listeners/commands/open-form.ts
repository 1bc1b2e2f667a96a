import { listServers } from '../../../services/servers/read-servers.ts';
import { createRequestForm } from '../../blocks/forms.ts';
import type { CommandListener } from './command.ts';

/** `/remediate` alone. */
export const openForm: CommandListener = async ({ deps, asker, triggerId, channel }) => {
  const { items } = await listServers(deps.ctx, asker, { limit: 101 });
  const playbooks = [...deps.ctx.config.current().playbooks.values()];
  const view = createRequestForm({ playbooks, servers: items.map(({ name }) => name), channel });
  await deps.client.views.open({ trigger_id: triggerId, view });
  return null;
};
