import { createAnswer } from '../../blocks/answer.ts';
import { COMMAND } from '../../blocks/names.ts';
import type { CommandListener } from './command.ts';

export const help: CommandListener = ({ deps, verbs }) => {
  const playbooks = [...deps.ctx.config.current().playbooks.values()];
  const lines = [
    `${COMMAND}: opens a form, as the shortcuts "Ask for a repair" and "Remediate this…" on a message do`,
    `${COMMAND} PLAYBOOK SERVER [key=value …] [reason="…"]: asks for a repair`,
    ...Object.values(verbs).map(({ usage, does }) => `${COMMAND} ${usage}: ${does}`),
    ...playbooks.slice(0, 20).map(({ name, title, params }) => {
      const pairs = Object.entries(params).map(([param, { required }]) => (required ? `${param}=…` : `[${param}=…]`));
      return `Playbook ${[name, ...pairs].join(' ')}: ${title}`;
    }),
  ];
  return Promise.resolve(createAnswer('This is what I understand:', lines));
};
