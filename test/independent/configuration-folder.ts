import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLAYBOOKS } from './playbook-documents.ts';

export interface ConfigurationTimes {
  approvalTimeout?: string;
  startWithin?: string;
}

export const SLACK_IDS: Readonly<Record<string, string>> = { ana: 'U0ANA', bob: 'U0BOB', cid: 'U0CID', dee: 'U0DEE' };

/** A new MEDIC_CONFIG directory with principals in every role and the playbooks. The caller removes it. */
export function writeConfigurationFolder(times: ConfigurationTimes = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'medic-independent-'));
  mkdirSync(join(folder, 'playbooks'));
  for (const { name, text } of PLAYBOOKS) writeFileSync(join(folder, 'playbooks', `${name}.yaml`), text);
  writeFileSync(join(folder, 'medic.yaml'), medicYaml(times));
  return folder;
}

/** dee approves, but is not of the group that may decide about high risk. */
export function medicYaml({ approvalTimeout = '30m', startWithin = '1h' }: ConfigurationTimes): string {
  return `version: 1
approval_timeout: ${approvalTimeout}
start_within: ${startWithin}
principals:
  ana: { slack_user_id: U0ANA, roles: [operator] }
  bob: { slack_user_id: U0BOB, roles: [operator, approver] }
  cid: { slack_user_id: U0CID, roles: [approver] }
  dee: { slack_user_id: U0DEE, roles: [approver] }
  aud: { slack_user_id: U0AUD, roles: [auditor] }
  vic: { slack_user_id: U0VIC, roles: [viewer] }
  adm: { slack_user_id: U0ADM, roles: [admin] }
  robot: { roles: [automation] }
groups:
  sre: [bob, cid]
rules:
  - when: { tag: [two-people] }
    approvals: 2
  - when: { risk: [high, critical] }
    approvals: 1
    from: [sre]
${ownRules()}  - when: { paused: true }
    approvals: 1
  - approvals: 0
`;
}

/**
 * From the fifth within a minute, requests of one playbook under one rule share a card. Each server of the Slack cases
 * has a rule of its own, and so its cards: paused, it needs one person, as every server does.
 */
function ownRules(): string {
  const servers = Array.from({ length: 9 }, (_, index) => `slack-${index + 1}`);
  return servers.map((server) => `  - when: { server: [${server}] }\n    approvals: 0\n`).join('');
}
