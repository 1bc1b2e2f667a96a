import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT_NAMES, SECRET_NAMES } from '../../services/config/environment-schema.ts';

const ROOT = new URL('../../', import.meta.url);
const OURS = /^(?:MEDIC_|SLACK_|TEMPORAL_|DATABASE_URL)/;
/** Read by the program of the container that they stand for, not by Medic. */
const OF_OTHER_IMAGES = /^(?:TEMPORAL_(?:CLI_|HOST|CORS_|UI_|SERVER_|BROADCAST_)|TEMPORAL_VERSION$)/;

function read(path: string): string {
  return readFileSync(fileURLToPath(new URL(path, ROOT)), 'utf8');
}

function isKnown(name: string): boolean {
  const base = name.endsWith('_FILE') ? name.slice(0, -'_FILE'.length) : name;
  const names: readonly string[] = base === name ? ENVIRONMENT_NAMES : SECRET_NAMES;
  return names.includes(base);
}

describe('the names of the environment', () => {
  test('.env.example holds exactly those of the schema', () => {
    const names = [...read('.env.example').matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1]);
    expect(names.toSorted()).toEqual(ENVIRONMENT_NAMES.toSorted());
  });

  test('.env.example names every secret that may come from a file', () => {
    const header = read('.env.example').split('\n\n', 1)[0] ?? '';
    for (const name of SECRET_NAMES) expect(header).toContain(name);
  });

  test('the contract tells all of them', () => {
    const path = 'docs/contract.md';
    if (!existsSync(new URL(path, ROOT))) return;
    const contract = read(path);
    expect(ENVIRONMENT_NAMES.filter((name) => !contract.includes(name))).toEqual([]);
  });

  for (const path of ['docker-compose.yml', 'ops/systemd/medic.service', 'ops/systemd/medic-agent.service']) {
    test(`${path} names none that Medic does not read`, () => {
      if (!existsSync(new URL(path, ROOT))) return;
      const text = read(path).replaceAll(/^\s*#.*$/gm, '');
      const names = [...text.matchAll(/\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\s*[:=]/g)].map((match) => match[1] ?? '');
      const ours = names.filter((name) => OURS.test(name) && !OF_OTHER_IMAGES.test(name));
      expect(ours.filter((name) => !isKnown(name))).toEqual([]);
    });
  }
});
