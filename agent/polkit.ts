import type { Playbook, Step } from '../playbook/playbook.ts';
import { parseArgument } from '../playbook/slots.ts';
import type { OwnPlaybooks } from './playbook-directory.ts';

/** The verbs for which systemd asks polkit with `manage-units`; the others only read, or need more than we grant. */
const MANAGED_VERBS = ['start', 'stop', 'restart', 'try-restart', 'reload', 'reload-or-restart', 'reset-failed'];
const UNIT_SUFFIX = /\.(service|socket|timer|target|path|mount|slice|scope)$/;

export interface PolkitGrant {
  verb: string;
  /** Anchored regular expressions over the unit's full name. */
  units: string[];
}

/** A verb and the full name of a unit, in which `*` stands for any characters. */
export interface ManagedUnit {
  verb: string;
  unit: string;
}

/** Exactly the units and verbs that allow.yaml permits through `systemctl` steps of this server's playbooks. */
export function listManagedUnits(own: OwnPlaybooks): ManagedUnit[] {
  const found = new Map<string, ManagedUnit>();
  for (const playbook of own.playbooks.values()) {
    for (const step of [...playbook.steps, ...playbook.verify]) {
      for (const managed of readSystemctl(step, playbook, own)) {
        found.set(`${managed.verb} ${managed.unit}`, managed);
      }
    }
  }
  return [...found.values()];
}

export function listPolkitGrants(own: OwnPlaybooks): PolkitGrant[] {
  const patterns = new Map<string, Set<string>>();
  for (const { verb, unit } of listManagedUnits(own)) {
    patterns.set(verb, (patterns.get(verb) ?? new Set()).add(toPattern(unit)));
  }
  return [...patterns]
    .map(([verb, found]) => ({ verb, units: [...found].sort() }))
    .sort((a, b) => (a.verb < b.verb ? -1 : 1));
}

/** A rules file for /etc/polkit-1/rules.d/, for one user. */
export function renderPolkitRules(grants: readonly PolkitGrant[], user: string): string {
  const table = grants.map(({ verb, units }) => `    ${JSON.stringify(verb)}: [${units.map(toLiteral).join(', ')}],\n`);
  return `// Made by \`medic agent polkit\` from allow.yaml: make it anew when that changes.
polkit.addRule(function (action, subject) {
  var permitted = {
${table.join('')}  };
  if (action.id !== "org.freedesktop.systemd1.manage-units" || subject.user !== ${JSON.stringify(user)}) {
    return polkit.Result.NOT_HANDLED;
  }
  var verb = action.lookup("verb");
  var unit = action.lookup("unit");
  var units = Object.prototype.hasOwnProperty.call(permitted, verb) ? permitted[verb] : [];
  for (var i = 0; i < units.length; i++) {
    if (typeof unit === "string" && units[i].test(unit)) return polkit.Result.YES;
  }
  return polkit.Result.NOT_HANDLED;
});
`;
}

function toLiteral(source: string): string {
  return `new RegExp(${JSON.stringify(source)})`;
}

function readSystemctl(step: Step, playbook: Playbook, own: OwnPlaybooks): ManagedUnit[] {
  if (step.kind !== 'run' || !/(^|\/)systemctl$/.test(step.argv[0] ?? '')) return [];
  const [verb, ...targets] = step.argv.slice(1).filter((argument) => !argument.startsWith('-'));
  if (verb === undefined || !MANAGED_VERBS.includes(verb)) return [];
  return targets.flatMap((target) => listUnits(target, playbook, own).map((unit) => ({ verb, unit })));
}

function listUnits(target: string, playbook: Playbook, own: OwnPlaybooks): string[] {
  const permitted = own.allowFile?.allow[playbook.name];
  if (permitted === undefined) return [];
  const argument = parseArgument(target);
  if (argument?.kind !== 'slot') return [complete(target)];
  const spec = playbook.params[argument.param];
  const values = permitted === '*' ? ['*'] : permitted[argument.param];
  if (values !== undefined) return values.map(complete);
  return spec?.type === 'enum' ? spec.values.map(complete) : [];
}

/** `systemctl` completes a name without a suffix to a service. */
function complete(unit: string): string {
  return UNIT_SUFFIX.test(unit) ? unit : `${unit}.service`;
}

/** A glob crosses no `/`, as no unit holds one. */
function toPattern(unit: string): string {
  const body = unit.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[A-Za-z0-9:_.@-]*');
  return `^${body}$`;
}
