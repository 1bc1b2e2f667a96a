import { textOf } from '../model.ts';
import type { Json, SlackUsergroup } from '../model.ts';
import { TIER_2 } from './method.ts';
import type { Method, MethodContext } from './method.ts';
import { Refusal } from './refusal.ts';
import { showUsergroup } from './shapes.ts';

const READ = ['usergroups:read'];

export const USERGROUP_METHODS: Record<string, Method> = {
  'usergroups.list': { scopes: READ, perMinute: TIER_2, run: listGroups },
  'usergroups.users.list': { scopes: READ, perMinute: TIER_2, run: listMembers },
};

function listGroups({ store, args }: MethodContext): Json {
  const groups = [...groupsOf(store.usergroups).values()].filter((group) => isShown(group, args));
  return { usergroups: groups.map((group) => showUsergroup(group, isTrue(args['include_users']))) };
}

function listMembers({ store, args }: MethodContext): Json {
  const groups = groupsOf(store.usergroups);
  if (textOf(args['usergroup']) === '') throw new Refusal('invalid_arguments');
  const group = groups.get(textOf(args['usergroup']));
  if (group === undefined || !isShown(group, args)) throw new Refusal('no_such_subteam');
  return { users: group.users };
}

function isShown(group: SlackUsergroup, args: Json): boolean {
  return group.isDisabled !== true || isTrue(args['include_disabled']);
}

function groupsOf(groups: ReadonlyMap<string, SlackUsergroup> | null): ReadonlyMap<string, SlackUsergroup> {
  if (groups === null) throw new Refusal('plan_upgrade_required');
  return groups;
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
