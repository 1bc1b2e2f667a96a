import { userInfo } from 'node:os';
import { readPlaybookDir } from '../config.ts';
import { readOwnPlaybooks } from '../playbook-directory.ts';
import { listPolkitGrants, renderPolkitRules } from '../polkit.ts';
import type { AgentCommand } from '../cli.ts';

export const polkitCommand: AgentCommand = {
  summary: 'polkit [--user NAME]                  print the polkit rules for exactly what allow.yaml permits',
  options: { user: { type: 'string' } },
  async run({ env, values, print }) {
    const grants = listPolkitGrants(await readOwnPlaybooks(readPlaybookDir(env)));
    const user = typeof values['user'] === 'string' ? values['user'] : userInfo().username;
    print({ user, grants, rules: renderPolkitRules(grants, user) }, renderPolkitRules(grants, user).trimEnd());
    return 0;
  },
};
