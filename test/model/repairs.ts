import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ApprovalRule } from '../../domain/policy.ts';
import { DEFAULT_TERMS } from '../../domain/policy.ts';

/** What becomes of a repair once it runs. */
export const KINDS = ['good', 'bad', 'slow', 'endless'] as const;
export type RepairKind = (typeof KINDS)[number];

/** How many people each wants, on a server that is not paused. */
export const PLAYBOOKS = { 'auto-repair': 0, 'watched-repair': 1, 'guarded-repair': 2 } as const;
export type RepairName = keyof typeof PLAYBOOKS;

const TRIED_AGAIN: RepairName = 'watched-repair';

export const RULES: readonly ApprovalRule[] = [
  { ...DEFAULT_TERMS, when: { playbook: ['guarded-repair'] }, approvals: 2, from: null },
  { ...DEFAULT_TERMS, when: { playbook: ['watched-repair'] }, approvals: 1, from: null },
  { ...DEFAULT_TERMS, when: { paused: true }, approvals: 1, from: null },
  { ...DEFAULT_TERMS, when: {}, approvals: 0, from: null },
];

export interface Repairs {
  files: { file: string; text: string }[];
  /** Each process writes the id of its command here when it starts: what really ran, by nobody's account. */
  marks: string;
  allow: string;
}

/** High risk, so that each has a card of its own: a batch's card shows no single state. */
export function writeRepairs(folder: string): Repairs {
  const program = join(folder, 'repair');
  const marks = join(folder, 'marks');
  writeFileSync(marks, '');
  const cases = 'bad) exit 3;; slow) sleep 0.5;; endless) sleep 60;;';
  writeFileSync(program, `#!/bin/sh\necho "$MEDIC_COMMAND_ID" >> ${marks}\ncase "$1" in ${cases} esac\n`);
  chmodSync(program, 0o755);
  const files = Object.keys(PLAYBOOKS).map((name) => ({ file: `${name}.yaml`, text: describe(name, program) }));
  const allow = stringify({ version: 1, allow: Object.fromEntries(Object.keys(PLAYBOOKS).map((name) => [name, {}])) });
  return { files, marks, allow };
}

function describe(name: string, program: string): string {
  return stringify({
    name,
    title: 'A repair',
    risk: 'high',
    timeout: '1s',
    params: { kind: { type: 'enum', values: [...KINDS], required: true } },
    steps: [{ run: [program, '${kind}'] }],
    ...(name === TRIED_AGAIN ? { idempotent: true, retry: { attempts: 2, backoff: '1s', max_backoff: '1s' } } : {}),
  });
}
