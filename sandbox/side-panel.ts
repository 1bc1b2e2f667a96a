import type { SidePanel } from './slack/workspace.ts';
import type { TrialServers } from './trial/trial-servers.ts';

/** The servers to try things on, as the page shows them: how their service does, and two ways to break it. */
export function createSidePanel(trial: TrialServers): SidePanel {
  return {
    items: () =>
      Promise.all(
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
      ),
    act: (id, verb) => trial.breakService(id, verb === 'hang' ? 'hang' : 'kill'),
  };
}
