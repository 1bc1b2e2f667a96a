import { compileGlob } from './glob.ts';
import { isMap, readFields, readInteger, readList, readTexts } from './fields.ts';
import { MAX_NAME_LENGTH, PARAM_NAME, PLAYBOOK_NAME } from './limits.ts';
import { findMaskFault } from './mask-pattern.ts';
import type { ParamValues, Playbook, PlaybookProblem } from './playbook.ts';
import type { Problems } from './problems.ts';
import { readYaml } from './yaml-tree.ts';
import type { Entry, Tree } from './yaml-tree.ts';

/** What the owner of a server permits: outside every digest, and everything it does not name is refused. */
export interface AllowFile {
  /** By playbook: `*` for all that it accepts, or values by parameter, where the item `*` means the same. */
  allow: Readonly<Record<string, '*' | Readonly<Record<string, readonly string[]>>>>;
  /** The owner's own secrets: regular expressions (`u` flag) to mask in output. */
  maskPatterns?: string[];
}

export const ALLOW_KEYS = { required: ['version', 'allow'], optional: ['mask'] } as const;

/** Reads `allow.yaml` and tells every mistake at once; the file comes back only where there is none. */
export function parseAllowFile(input: { file: string; text: string }): {
  allowFile?: AllowFile;
  problems: PlaybookProblem[];
} {
  const { tree, problems } = readYaml(input);
  if (tree === undefined) return { problems: problems.list() };
  const known = [...ALLOW_KEYS.required, ...ALLOW_KEYS.optional];
  const fields = readFields(tree, problems, { what: 'allow.yaml', known, required: ALLOW_KEYS.required });
  const versionTree = fields?.get('version')?.value;
  const version = readInteger(versionTree, problems, 'version');
  if (version !== undefined && version !== 1) {
    problems.add(versionTree?.at ?? 0, 'invalid_value', `version must be 1, not ${version}.`);
  }
  const allow = readAllow(fields?.get('allow')?.value, problems);
  const maskTree = fields?.get('mask')?.value;
  const maskPatterns = readTexts(maskTree, problems, 'mask').map(({ text, at }) => {
    const fault = findMaskFault(text);
    if (fault !== undefined) problems.add(at, 'invalid_pattern', `The mask "${text}" ${fault}.`);
    return text;
  });
  if (!problems.isEmpty) return { problems: problems.list() };
  return { allowFile: { allow, ...(maskTree === undefined ? {} : { maskPatterns }) }, problems: [] };
}

/** Whether the owner permits these values, defaults included; `reason` is one sentence for the requester. */
export function judgeAllowed(input: {
  allowFile: AllowFile;
  playbook: Playbook;
  values: ParamValues;
}): { isAllowed: true } | { isAllowed: false; reason: string } {
  const { playbook, values } = input;
  const { allow } = input.allowFile;
  const permitted = Object.hasOwn(allow, playbook.name) ? allow[playbook.name] : undefined;
  if (permitted === undefined) return refuse(`allow.yaml of this server does not name ${playbook.name}.`);
  if (permitted === '*') return { isAllowed: true };
  const stray = Object.keys(permitted).find((name) => !Object.hasOwn(playbook.params, name));
  if (stray !== undefined) return refuse(`allow.yaml names "${stray}", which is no parameter of ${playbook.name}.`);
  for (const [name, spec] of Object.entries(playbook.params)) {
    const value = Object.hasOwn(values, name) ? String(values[name]) : undefined;
    if (value === undefined) return refuse(`The parameter ${name} of ${playbook.name} has no value.`);
    const globs = Object.hasOwn(permitted, name) ? permitted[name] : undefined;
    if (globs === undefined) {
      const mustBeNamed = spec.type === 'string' || spec.type === 'path';
      if (mustBeNamed) return refuse(`allow.yaml of this server names no values for ${name} of ${playbook.name}.`);
    } else if (!globs.some((glob) => glob === '*' || compileGlob(glob)(value))) {
      return refuse(`allow.yaml of this server does not permit ${name}=${value} for ${playbook.name}.`);
    }
  }
  return { isAllowed: true };
}

function refuse(reason: string): { isAllowed: false; reason: string } {
  return { isAllowed: false, reason };
}

function readAllow(tree: Tree | undefined, problems: Problems): AllowFile['allow'] {
  const allow = new Map<string, '*' | Record<string, string[]>>();
  if (tree === undefined || !isMap(tree, problems, 'allow')) return {};
  for (const entry of tree.entries) {
    const name = entry.key.replaceAll('_', '-');
    if (!PLAYBOOK_NAME.test(name) || name.length > MAX_NAME_LENGTH) {
      problems.add(entry.keyAt, 'invalid_name', `"${entry.key}" is no playbook name, such as restart-service.`);
    } else if (allow.has(name)) {
      problems.add(entry.keyAt, 'duplicate_key', `${name} stands here twice.`);
    }
    allow.set(name, readPermitted(entry, problems));
  }
  return Object.fromEntries(allow);
}

function readPermitted(entry: Entry, problems: Problems): '*' | Record<string, string[]> {
  const { value } = entry;
  if (value.kind === 'scalar' && value.value === '*') return '*';
  if (value.kind !== 'map') {
    const message = `${entry.key} needs "*" or a map from parameter to values; {} where no text or path is to be named.`;
    problems.add(value.at, 'invalid_type', message);
    return {};
  }
  const pairs = value.entries.map((param) => {
    if (!PARAM_NAME.test(param.key)) {
      problems.add(param.keyAt, 'invalid_name', `"${param.key}" is no parameter name.`);
    }
    return [param.key, readGlobs(param, problems)] as const;
  });
  return Object.fromEntries(pairs);
}

function readGlobs(param: Entry, problems: Problems): string[] {
  if (param.value.kind === 'scalar' && param.value.value === '*') return ['*'];
  const what = `the values of ${param.key}`;
  return readList(param.value, problems, what).flatMap((item) => {
    const value = item.kind === 'scalar' ? item.value : null;
    if (value !== null && value !== '') return [String(value)];
    problems.add(item.at, 'invalid_type', `Each of ${what} must be a value or a glob such as "app-*".`);
    return [];
  });
}
