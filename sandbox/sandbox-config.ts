import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const SANDBOX_CHANNEL = 'C0MEDIC';

interface SandboxRules {
  approvalTimeout: string;
  /** Whether those who may decide are reminded; the timeout must be longer than that takes. */
  hasLadder: boolean;
}

const LADDER = `    escalate:
      - { after: 5m, remind: thread }
      - { after: 10m, tell: approvers }
      - { after: 20m, group: managers }
`;

/** Who is who in the sandbox; the ids are those of the people in the Slack workspace in a page. Eve is nobody here. */
function describeConfig({ approvalTimeout, hasLadder }: SandboxRules): string {
  return `version: 1
approval_timeout: ${approvalTimeout}
start_within: 1h
principals:
  ana: { slack_user_id: U0ANA, roles: [operator] }
  bob: { slack_user_id: U0BOB, roles: [operator, approver] }
  cid: { slack_user_id: U0CID, roles: [approver] }
  mia: { slack_user_id: U0MIA, roles: [approver, admin] }
groups:
  sre: [bob, cid]
  dba: { slack_usergroup: S0DBA, members: [bob] }
  managers: [mia]
rules:
  - when: { risk: [critical] }
    approvals: 2
    from: [sre, dba, managers]
    distinct_groups: true
    reason: required
${hasLadder ? LADDER : ''}  - when: { risk: [high] }
    approvals: 1
    from: [sre]
    reason: required
${hasLadder ? LADDER : ''}  - when: { paused: true }
    approvals: 1
  - approvals: 0
`;
}

/** Writes medic.yaml where there is none: from then on it belongs to the person who tries things. */
export function keepSandboxConfig(directory: string): void {
  if (!existsSync(join(directory, 'medic.yaml')))
    writeSandboxConfig(directory, { approvalTimeout: '30m', hasLadder: true });
}

export function writeSandboxConfig(directory: string, rules: SandboxRules): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'medic.yaml');
  writeFileSync(`${file}.tmp`, describeConfig(rules));
  renameSync(`${file}.tmp`, file);
}
