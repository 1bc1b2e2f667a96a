import type { Role } from './roles.ts';

/** Someone who acts, as `medic.yaml` names them. */
export interface Principal {
  name: string;
  roles: readonly Role[];
  slackUserId: string | null;
  /** Those whose list in medic.yaml names them. A group held in Slack is asked for when they decide. */
  groups: readonly string[];
}

/** A group of medic.yaml. `members` counts where there is no Slack group, or the workspace has no such groups. */
export interface Group {
  slackUsergroup: string | null;
  members: readonly string[];
}

/** What Slack says of a person now. `unproven`: it could not be asked; `none`: there is nobody to ask about. */
export type Standing = 'none' | 'member' | 'bot' | 'guest' | 'deactivated' | 'stranger' | 'ambiguous' | 'unproven';

/** Of the groups that were asked about: those the person is in, and those of which Slack could not say. */
export interface Membership {
  groups: readonly string[];
  unproven: readonly string[];
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

/** Who did it, as people read it; null where nobody is on record. */
export function nameActor(name: string | null): string {
  return name === null || name === SYSTEM_ACTOR ? 'Medic' : name;
}
