import type { Cooldown, HoldBackRule, Limits } from '../../domain/limits.ts';
import { DEFAULT_LIMITS } from '../../domain/limits.ts';
import { capitalize, readDurationMs, readFields, readInteger, readString } from '../../playbook/fields.ts';
import type { Problems } from '../../playbook/problems.ts';
import type { Tree } from '../../playbook/yaml-tree.ts';

const LONGEST_COOLDOWN_MS = 30 * 86_400_000; // as long as anything may wait
const MOST_FAILURES = 1_000;
const KIB = 1024;

/** Each key: how it is read, and what it becomes. */
const COUNTS = {
  waiting: { key: 'waiting', most: 1_000_000 },
  waiting_per_server: { key: 'waitingPerServer', most: 10_000 },
  requests_per_minute: { key: 'requestsPerMinute', most: 100_000 },
  heartbeats_per_minute: { key: 'heartbeatsPerMinute', most: 100_000 },
  executing: { key: 'executing', most: 100_000 },
} as const;
/** None can be raised: an agent keeps no more output, the API takes no larger body. */
const SIZES = {
  params: { key: 'paramsBytes', least: 256, most: 64 * KIB },
  output: { key: 'outputBytes', least: KIB, most: 64 * KIB },
  body: { key: 'bodyBytes', least: 4 * KIB, most: 64 * KIB }, // what approves or enrols still fits
} as const;
const KEYS = [...Object.keys(COUNTS), ...Object.keys(SIZES), 'cooldown', 'hold_back_after', 'executing_per_tag'];
const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: KIB };

/** The map under `limits`; what it does not name is as in DEFAULT_LIMITS. */
export function readLimits(tree: Tree | undefined, problems: Problems): Limits {
  const fields = tree === undefined ? undefined : readFields(tree, problems, { what: 'limits', known: KEYS });
  const limits = { ...DEFAULT_LIMITS };
  for (const [name, { key, most }] of Object.entries(COUNTS)) {
    limits[key] = readCount(fields?.get(name)?.value, problems, { what: name, least: 1, most }) ?? limits[key];
  }
  for (const [name, { key, ...bounds }] of Object.entries(SIZES)) {
    limits[key] = readBytes(fields?.get(name)?.value, problems, { what: name, ...bounds }) ?? limits[key];
  }
  limits.cooldowns = readCooldowns(fields?.get('cooldown')?.value, problems) ?? limits.cooldowns;
  limits.holdBacks = readHoldBacks(fields?.get('hold_back_after')?.value, problems) ?? limits.holdBacks;
  limits.executingPerTag = readPercent(fields?.get('executing_per_tag')?.value, problems) ?? limits.executingPerTag;
  return limits;
}

function readCount(
  tree: Tree | undefined,
  problems: Problems,
  shape: { what: string; least: number; most: number },
): number | undefined {
  const count = readInteger(tree, problems, shape.what);
  if (count === undefined || tree === undefined || (count >= shape.least && count <= shape.most)) return count;
  problems.add(
    tree.at,
    'invalid_value',
    `${capitalize(shape.what)} must be between ${shape.least} and ${shape.most}, not ${count}.`,
  );
  return undefined;
}

function readBytes(
  tree: Tree | undefined,
  problems: Problems,
  shape: { what: string; least: number; most: number },
): number | undefined {
  const text = readString(tree, problems, shape.what);
  if (text === undefined || tree === undefined) return undefined;
  const [, count = '', unit = ''] = /^(\d{1,9})(B|KiB)$/.exec(text) ?? [];
  const bytes = Number(count) * (UNITS[unit] ?? 0);
  if (bytes >= shape.least && bytes <= shape.most) return bytes;
  const bounds = `a size such as 16KiB, from ${shape.least}B to ${shape.most / KIB}KiB`;
  problems.add(tree.at, 'invalid_value', `${capitalize(shape.what)} must be ${bounds}, not "${text.slice(0, 40)}".`);
  return undefined;
}

function readPercent(tree: Tree | undefined, problems: Problems): number | undefined {
  const text = readString(tree, problems, 'executing_per_tag');
  if (text === undefined || tree === undefined) return undefined;
  const [, digits = '0'] = /^(\d{1,3})%$/.exec(text) ?? [];
  const percent = Number(digits);
  if (percent >= 1 && percent <= 100) return percent;
  const message = `Executing_per_tag must be a share such as 10%, from 1% to 100%, not "${text.slice(0, 40)}".`;
  problems.add(tree.at, 'invalid_value', message);
  return undefined;
}

function readCooldowns(tree: Tree | undefined, problems: Problems): Cooldown[] | undefined {
  return readByPlaybook(tree, (value, playbook) => listCooldown(value, problems, playbook));
}

function readHoldBacks(tree: Tree | undefined, problems: Problems): HoldBackRule[] | undefined {
  return readByPlaybook(tree, (value, playbook) => {
    const what = playbook === '*' ? 'hold_back_after' : `hold_back_after of ${playbook}`;
    const failures = readCount(value, problems, { what, least: 0, most: MOST_FAILURES });
    return failures === undefined ? [] : [{ playbook, failures }];
  });
}

/** One value for every playbook, or a map of playbooks, with `*`, of which the first that matches counts. */
function readByPlaybook<T>(tree: Tree | undefined, read: (value: Tree, playbook: string) => T[]): T[] | undefined {
  if (tree === undefined) return undefined;
  if (tree.kind !== 'map') return read(tree, '*');
  return tree.entries.flatMap(({ key, value }) => read(value, key.replaceAll('_', '-')));
}

function listCooldown(tree: Tree, problems: Problems, playbook: string): Cooldown[] {
  const what = playbook === '*' ? 'cooldown' : `cooldown of ${playbook}`;
  const ms = readDurationMs(tree, problems, { what, minMs: 0, maxMs: LONGEST_COOLDOWN_MS });
  return ms === undefined ? [] : [{ playbook, ms }];
}
