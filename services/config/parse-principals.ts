import { suggestNearest } from '../../domain/nearest-word.ts';
import type { Principal } from '../../domain/principal.ts';
import { RESERVED_NAMES } from '../../domain/principal.ts';
import type { Role } from '../../domain/roles.ts';
import { ROLES } from '../../domain/roles.ts';
import { readFields, readString, readTexts } from '../../playbook/fields.ts';
import type { Problems } from '../../playbook/problems.ts';
import type { Entry, Tree } from '../../playbook/yaml-tree.ts';

/** Stands in commands, addresses and on cards, so it must need no quoting anywhere. */
const PRINCIPAL_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
const SLACK_USER_ID = /^[UW][A-Z0-9]{2,20}$/;

type Person = Omit<Principal, 'groups'>;

/** The map under `principals`. Who stands there wrongly is told, and still counts as known to groups and rules. */
export function readPrincipals(tree: Tree | undefined, problems: Problems): Map<string, Person> {
  const people = new Map<string, Person>();
  if (tree === undefined) return people;
  if (tree.kind !== 'map') {
    problems.add(tree.at, 'invalid_type', 'principals must be a map of names and what each may do.');
    return people;
  }
  const slackUsers = new Map<string, string>();
  for (const entry of tree.entries) {
    checkName(entry, { problems, taken: [...people.keys()] });
    const person = readPerson(entry, { problems, slackUsers });
    if (!people.has(entry.key)) people.set(entry.key, person);
  }
  return people;
}

function checkName(entry: Entry, context: { problems: Problems; taken: readonly string[] }): void {
  const { key, keyAt } = entry;
  if (RESERVED_NAMES.includes(key.toLowerCase())) {
    const message = `"${key}" is a name of Medic's own (${RESERVED_NAMES.join(', ')}); choose another.`;
    context.problems.add(keyAt, 'reserved_name', message);
  } else if (!PRINCIPAL_NAME.test(key)) {
    const message = `"${key.slice(0, 80)}" is no name for a principal: letters, digits, ".", "_" and "-", at most 64.`;
    context.problems.add(keyAt, 'invalid_name', message);
  }
  const twin = context.taken.find((name) => name !== key && name.toLowerCase() === key.toLowerCase());
  if (twin === undefined) return;
  const message = `"${key}" and "${twin}" differ only in upper and lower case; nobody could tell them apart.`;
  context.problems.add(keyAt, 'duplicate_name', message);
}

function readPerson(entry: Entry, context: { problems: Problems; slackUsers: Map<string, string> }): Person {
  const { problems } = context;
  const { key: name, value } = entry;
  const shape = { what: `the principal ${name}`, known: ['slack_user_id', 'roles'], required: ['roles'] };
  const fields = readFields(value, problems, shape);
  return {
    name,
    roles: readRoles(fields?.get('roles')?.value, { problems, name }),
    slackUserId: readSlackUser(fields?.get('slack_user_id')?.value, { ...context, name }),
  };
}

function readRoles(tree: Tree | undefined, context: { problems: Problems; name: string }): Role[] {
  const roles = new Set<Role>();
  const texts = readTexts(tree, context.problems, `the roles of ${context.name}`);
  for (const { text, at } of texts) {
    const role = ROLES.find((candidate) => candidate === text);
    if (role !== undefined) {
      roles.add(role);
      continue;
    }
    const hint = suggestNearest(text, ROLES) || ` Known: ${ROLES.join(', ')}.`;
    context.problems.add(at, 'unknown_role', `"${text}" is no role.${hint}`);
  }
  if (tree?.kind === 'list' && tree.items.length === 0) {
    const message = `${context.name} has no role and could do nothing; name one of ${ROLES.join(', ')}.`;
    context.problems.add(tree.at, 'missing_role', message);
  }
  return [...roles];
}

function readSlackUser(
  tree: Tree | undefined,
  context: { problems: Problems; slackUsers: Map<string, string>; name: string },
): string | null {
  const { problems, slackUsers, name } = context;
  const id = readString(tree, problems, `slack_user_id of ${name}`);
  if (id === undefined || tree === undefined) return null;
  if (!SLACK_USER_ID.test(id)) {
    const message = `"${id.slice(0, 80)}" is no Slack member id such as U012AB3CD (profile → ⋮ → Copy member ID).`;
    problems.add(tree.at, 'invalid_value', message);
    return null;
  }
  const other = slackUsers.get(id);
  if (other !== undefined) {
    problems.add(tree.at, 'duplicate_slack_user', `${id} already belongs to ${other}; one person, one principal.`);
  }
  slackUsers.set(id, name);
  return id;
}
