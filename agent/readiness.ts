import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { Playbook, Step } from '../playbook/playbook.ts';
import type { OwnPlaybooks } from './playbook-directory.ts';
import type { PolkitAnswer } from './ask-polkit.ts';
import { listManagedUnits } from './polkit.ts';

export interface Readiness {
  playbook: string;
  digest: string;
  isReady: boolean;
  /** What is missing, one sentence each. */
  missing: string[];
  /** What is no hindrance, but worth knowing. */
  notes: string[];
}

/** For each playbook whether it could run here, as this user and with this allow.yaml; starts nothing. */
export async function checkReadiness(
  own: OwnPlaybooks,
  { polkitAnswers }: { polkitAnswers?: readonly PolkitAnswer[] } = {},
): Promise<Readiness[]> {
  return Promise.all([...own.playbooks.values()].map((playbook) => checkPlaybook(playbook, own, polkitAnswers)));
}

async function checkPlaybook(
  playbook: Playbook,
  own: OwnPlaybooks,
  answers?: readonly PolkitAnswer[],
): Promise<Readiness> {
  const steps = [...playbook.steps, ...playbook.verify];
  const found = await Promise.all(steps.map((step) => findMissing(step, playbook, own)));
  const polkit = isRoot() ? { missing: [], notes: [] } : judgePolkit(playbook, own, answers);
  const missing = [...findUnpermitted(playbook, own), ...found.flat(), ...polkit.missing].filter(isFirst);
  return {
    playbook: playbook.name,
    digest: playbook.digest,
    isReady: missing.length === 0,
    missing,
    notes: polkit.notes.filter(isFirst),
  };
}

function judgePolkit(
  playbook: Playbook,
  own: OwnPlaybooks,
  answers?: readonly PolkitAnswer[],
): Pick<Readiness, 'missing' | 'notes'> {
  const missing: string[] = [];
  const notes: string[] = [];
  for (const { verb, unit } of listManagedUnits({ ...own, playbooks: new Map([[playbook.name, playbook]]) })) {
    const answer = answers?.find((entry) => entry.verb === verb && entry.unit === unit);
    const command = `systemctl ${verb} ${unit}`;
    if (answer === undefined) {
      notes.push(
        `${command} needs a polkit rule (\`medic agent polkit\`); only root can ask whether it is there: \`medic agent check --user NAME\`.`,
      );
    } else if (answer.verdict === 'forbidden') {
      missing.push(`polkit does not let this user run ${command}: install the rules of \`medic agent polkit\`.`);
    } else if (answer.verdict === 'unknown') {
      missing.push(`Whether this user may run ${command} is not known: ${answer.why}.`);
    }
  }
  return { missing, notes };
}

function findUnpermitted(playbook: Playbook, own: OwnPlaybooks): string[] {
  if (own.allowFile === undefined) return ['There is no readable allow.yaml, so nothing is permitted.'];
  const { allow } = own.allowFile;
  const permitted = Object.hasOwn(allow, playbook.name) ? allow[playbook.name] : undefined;
  if (permitted === '*') return [];
  if (permitted === undefined)
    return [`allow.yaml does not name ${playbook.name}: \`medic agent allow ${playbook.name} …\`.`];
  return Object.entries(playbook.params)
    .filter(([name, spec]) => ['string', 'path'].includes(spec.type) && (permitted[name] ?? []).length === 0)
    .map(([name]) => `allow.yaml names no values for ${name}: \`medic agent allow ${playbook.name} ${name}=…\`.`);
}

async function findMissing(step: Step, playbook: Playbook, own: OwnPlaybooks): Promise<string[]> {
  if (step.kind === 'run') return findMissingProgram(step.argv[0] ?? '');
  const directories = Object.entries(playbook.params).flatMap(([name, spec]) =>
    spec.type === 'path' ? permittedPaths(name, spec.within, playbook, own) : [],
  );
  return (await Promise.all(directories.map(findMissingDirectory))).flat();
}

function permittedPaths(
  name: string,
  within: readonly string[],
  playbook: Playbook,
  own: OwnPlaybooks,
): readonly string[] {
  const permitted = own.allowFile?.allow[playbook.name];
  const values = permitted === undefined || permitted === '*' ? ['*'] : (permitted[name] ?? []);
  const plain = values.filter((value) => !value.includes('*'));
  return values.length > plain.length ? [...within, ...plain] : plain;
}

async function findMissingProgram(program: string): Promise<string[]> {
  const stats = await stat(program).catch(() => undefined);
  if (stats === undefined) return [`The program ${program} is not there.`];
  const isRunnable = stats.isFile() && (await can(program, constants.X_OK));
  return isRunnable ? [] : [`The program ${program} may not be run by this user.`];
}

async function findMissingDirectory(path: string): Promise<string[]> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return [`${path} is not there.`];
  return (await can(path, constants.R_OK | constants.W_OK)) ? [] : [`${path} may not be written by this user.`];
}

async function can(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function isFirst(item: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(item) === index;
}
