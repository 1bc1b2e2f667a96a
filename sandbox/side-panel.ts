import type { SidePanel, SidePanelItem } from './slack/workspace.ts';
import type { TrialServers } from './trial/trial-servers.ts';

/** The servers to try things on, as the page shows them: how their service does, and two ways to break it. */
export function createSidePanel(trial: TrialServers, codes: () => string[]): SidePanel {
  return {
    items: async () => [
      ...(await Promise.all(
        trial.servers.flatMap((server) =>
          server.services.map(async (service) => {
            const isHealthy = await trial.isHealthy(service);
            return {
              id: service,
              title: `${server.name}: ${service}`,
              lines: [
                isHealthy ? 'The service answers.' : 'The service does not answer.',
                `/remediate restart-service ${server.name} service=${service}`,
              ],
              healthy: isHealthy,
              buttons: [
                { verb: 'kill', label: 'Kill its process' },
                { verb: 'hang', label: 'Make it hang' },
              ],
            };
          }),
        ),
      )),
      ...createPhones(codes()),
    ],
    act: (id, verb) => trial.breakService(id, verb === 'hang' ? 'hang' : 'kill'),
  };
}

/** What the approvers' phones show, for actions of risk critical. */
function createPhones(lines: string[]): SidePanelItem[] {
  if (lines.length === 0) return [];
  return [{ id: 'authenticators', title: 'One-time codes', lines, healthy: true, buttons: [] }];
}
