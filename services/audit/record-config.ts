import { transact } from '../../db/orm.ts';
import type { Database } from '../../db/orm.ts';
import { SYSTEM_ACTOR } from '../../domain/principal.ts';
import type { ControlPlaneConfig } from '../config/config-store.ts';

/** For openConfigStore's `onLoaded`: what counts from now on is in the log before it counts. */
export function recordConfigLoaded(database: Database): (config: ControlPlaneConfig, digest: string) => Promise<void> {
  return (config, digest) =>
    transact(database, 'config.load', (tx) => {
      tx.audit({
        actor: SYSTEM_ACTOR,
        via: 'cli',
        event: 'config.loaded',
        subject: { type: 'config', id: digest },
        data: {
          digest,
          principals: config.principals.size,
          rules: config.rules.length,
          playbooks: Object.fromEntries([...config.playbooks].map(([name, playbook]) => [name, playbook.digest])),
        },
      });
      return Promise.resolve();
    });
}
