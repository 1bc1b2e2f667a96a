import { InvalidInputError } from '../../domain/errors.ts';
import { askPolkit, findUser } from '../ask-polkit.ts';
import type { PolkitAnswer } from '../ask-polkit.ts';
import { readPlaybookDir } from '../config.ts';
import { readOwnPlaybooks } from '../playbook-directory.ts';
import { listManagedUnits } from '../polkit.ts';
import { checkReadiness } from '../readiness.ts';
import type { AgentCommand } from '../cli.ts';

export const checkCommand: AgentCommand = {
  summary:
    'check [--user NAME]                   tell for each playbook whether it could run here, and what is missing',
  options: { user: { type: 'string' } },
  async run({ env, values, print }) {
    const folder = readPlaybookDir(env);
    const { user } = values;
    const polkitAnswers = typeof user === 'string' ? await becomeUser(user, folder) : undefined;
    const own = await readOwnPlaybooks(folder);
    const playbooks = await checkReadiness(own, polkitAnswers === undefined ? {} : { polkitAnswers });
    const lines = playbooks.flatMap((entry) => [
      `${entry.playbook}: ${entry.isReady ? 'can run here' : 'cannot run here'}`,
      ...[...entry.missing, ...entry.notes].map((sentence) => `  ${sentence}`),
    ]);
    const faults = own.problems.map(
      (fault) => `${fault.file}:${String(fault.line)}:${String(fault.column)} ${fault.message}`,
    );
    const data = {
      playbooks: playbooks.map(({ playbook, digest, isReady, missing, notes }) => ({
        name: playbook,
        digest,
        ready: isReady,
        missing,
        notes,
      })),
      problems: own.problems,
    };
    print(data, [...lines, ...faults].join('\n') || 'There are no playbooks here.');
    return faults.length > 0 || playbooks.some((entry) => !entry.isReady) ? 1 : 0;
  },
};

/** Asks polkit as root and then gives root up, so that everything else is seen with the user's eyes. */
async function becomeUser(name: string, folder: string): Promise<PolkitAnswer[]> {
  const user = await findUser(name);
  if (process.geteuid?.() !== 0) {
    throw new InvalidInputError('Only root can check for another user: run it with sudo, or leave --user out.', {
      code: 'not_root',
    });
  }
  const answers = await askPolkit(listManagedUnits(await readOwnPlaybooks(folder)), user);
  process.setgroups?.([...user.groups]);
  process.setgid?.(user.gid);
  process.setuid?.(user.uid);
  return answers;
}
