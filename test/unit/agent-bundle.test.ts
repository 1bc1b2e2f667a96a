import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAgentConfig } from '../../agent/config.ts';
import { bundleAgent } from '../../sandbox/bundle-agent.ts';

const folder = mkdtempSync(join(tmpdir(), 'medic-bundle-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('the agent is one file of at most 1.5 MB, without the control plane’s modules', async () => {
  const { bytes, inputs } = await bundleAgent({ outfile: join(folder, 'agent.mjs') });
  expect(bytes).toBeLessThan(1_500_000);
  const forbidden =
    /node_modules\/(@temporalio|@mikro-orm|@slack|fastify|undici|pg|kysely|zod\/v4\/classic)\b|^(db|services|bot|api|worker|workflows|activities)\//;
  expect(inputs.filter((input) => forbidden.test(input))).toEqual([]);
});

const good = {
  MEDIC_CONTROL_PLANE_URL: 'https://medic.example.com',
  MEDIC_AGENT_DIR: '/var/lib/medic',
  MEDIC_AGENT_PLAYBOOKS: '/etc/medic',
};
test.each([
  [{ MEDIC_CONTROL_PLANE_URL: 'http://medic.example.com' }, 'plain_http'],
  [{ MEDIC_CONTROL_PLANE_URL: 'medic' }, 'malformed_url'],
  [{ MEDIC_AGENT_DIR: 'state' }, 'relative_path'],
  [{ MEDIC_AGENT_PLAYBOOKS: '' }, 'missing_setting'],
  [{ MEDIC_AGENT_DIRR: '/x' }, 'unknown_setting'],
  [{ MEDIC_LOG_LEVEL: 'loud' }, 'unknown_log_level'],
])('the settings %j are refused as %s', (change, code) => {
  expect(() => readAgentConfig({ ...good, ...change })).toThrow(expect.objectContaining({ code }));
});

test('plain http is for this machine only', () => {
  for (const url of ['http://127.0.0.1:8480', 'http://localhost:1', 'http://[::1]:1']) {
    expect(readAgentConfig({ ...good, MEDIC_CONTROL_PLANE_URL: url }).controlPlaneUrl.href).toBe(`${url}/`);
  }
});
