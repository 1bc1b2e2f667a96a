import { suggestNearest } from '../../domain/nearest-word.ts';
import type { Group, Principal } from '../../domain/principal.ts';
import { readFields, readString, readTexts } from '../../playbook/fields.ts';
import type { Problems } from '../../playbook/problems.ts';
import type { Tree } from '../../playbook/yaml-tree.ts';

const SLACK_USERGROUP = /^S[A-Z0-9]{2,20}$/;

interface GroupContext {
  problems: Problems;
  /** The names of all principals. */
  names: readonly string[];
}

/** The map under `groups`: a list of principals, or `{ slack_usergroup, members }`. */
export function readGroups(tree: Tree | undefined, context: GroupContext): Map<string, Group> {
  const groups = new Map<string, Group>();
  if (tree === undefined) return groups;
  if (tree.kind !== 'map') {
    context.problems.add(tree.at, 'invalid_type', 'groups must be a map of group names and lists of principals.');
    return groups;
  }
  for (const { key, value } of tree.entries) {
    groups.set(key, value.kind === 'map' ? readSlackGroup(value, context, key) : readList(value, context, key));
  }
  return groups;
}

function readList(tree: Tree | undefined, { problems, names }: GroupContext, key: string): Group {
  const members = readTexts(tree, problems, `the group ${key}`);
  for (const { text, at } of members) {
    if (names.includes(text)) continue;
    const message = `The group ${key} names "${text}", who is no principal.${suggestNearest(text, names)}`;
    problems.add(at, 'unknown_principal', message);
  }
  return { slackUsergroup: null, members: [...new Set(members.map(({ text }) => text))] };
}

function readSlackGroup(tree: Tree, context: GroupContext, key: string): Group {
  const { problems } = context;
  const shape = { what: `the group ${key}`, known: ['slack_usergroup', 'members'], required: ['slack_usergroup'] };
  const fields = readFields(tree, problems, shape);
  const idTree = fields?.get('slack_usergroup')?.value;
  const id = readString(idTree, problems, `slack_usergroup of ${key}`);
  if (id !== undefined && idTree !== undefined && !SLACK_USERGROUP.test(id)) {
    const message = `"${id.slice(0, 80)}" is no Slack user group id such as S012AB3CD (People → User groups → ⋮ → Copy group ID).`;
    problems.add(idTree.at, 'invalid_value', message);
  }
  return { ...readList(fields?.get('members')?.value, context, key), slackUsergroup: id ?? null };
}

/** The principals with the groups whose lists name them. */
export function joinGroups(
  people: ReadonlyMap<string, Omit<Principal, 'groups'>>,
  groups: ReadonlyMap<string, Group>,
): Map<string, Principal> {
  const joined = new Map<string, Principal>();
  for (const [name, person] of people) {
    const mine = [...groups].filter(([, { members }]) => members.includes(name)).map(([group]) => group);
    joined.set(name, { ...person, groups: mine });
  }
  return joined;
}
