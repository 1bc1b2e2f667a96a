import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const SANDBOX_CHANNEL = 'C0MEDIC';

/** Who is who in the sandbox; the ids are those of the people in the Slack workspace in a page. Eve is nobody here. */
function describeConfig(approvalTimeout: string): string {
  return `version: 1
approval_timeout: ${approvalTimeout}
start_within: 1h
principals:
  ana: { slack_user_id: U0ANA, roles: [operator] }
  bob: { slack_user_id: U0BOB, roles: [operator, approver] }
  cid: { slack_user_id: U0CID, roles: [approver] }
groups:
  sre: [bob, cid]
rules:
  - when: { risk: [high, critical] }
    approvals: 1
    from: [sre]
  - when: { paused: true }
    approvals: 1
  - approvals: 0
`;
}

/** Writes medic.yaml where there is none: from then on it belongs to the person who tries things. */
export function keepSandboxConfig(directory: string): void {
  if (!existsSync(join(directory, 'medic.yaml'))) writeSandboxConfig(directory, { approvalTimeout: '30m' });
}

export function writeSandboxConfig(directory: string, options: { approvalTimeout: string }): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'medic.yaml');
  writeFileSync(`${file}.tmp`, describeConfig(options.approvalTimeout));
  renameSync(`${file}.tmp`, file);
}
