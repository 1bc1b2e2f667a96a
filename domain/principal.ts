import type { Role } from './roles.ts';

/** Someone who acts, as `medic.yaml` names them. */
export interface Principal {
  name: string;
  roles: readonly Role[];
  slackUserId: string | null;
  groups: readonly string[];
}

export type Via = 'slack' | 'api' | 'cli' | 'page' | 'agent' | 'workflow' | 'webhook';

/**
 * Who asks and by which way in. `roles` are what counts for this call: all roles of the principal in Slack, the one
 * role of the token in the API.
 */
export interface Asker {
  principal: Principal;
  roles: readonly Role[];
  via: Via;
}

/** The actor for what Medic itself does, and for what `auto` approves. Never a name in `medic.yaml`. */
export const SYSTEM_ACTOR = 'system';
export const AUTO_ACTOR = 'auto';
export const RESERVED_NAMES: readonly string[] = [SYSTEM_ACTOR, AUTO_ACTOR, 'unknown'];
