import { createOption, PARAM_PREFIX } from '../../blocks/param-inputs.ts';
import { matchesTyped } from './matches-typed.ts';
import type { Suggester } from './index.ts';

/** The values of a parameter that has more of them than a menu can list. */
export const suggestParamValues: Suggester = ({ deps, actionId, typed, entered }) => {
  const playbook = deps.ctx.config.current().playbooks.get(entered.playbook);
  const name = actionId.slice(PARAM_PREFIX.length);
  const spec = playbook !== undefined && Object.hasOwn(playbook.params, name) ? playbook.params[name] : undefined;
  if (spec?.type !== 'enum') return [];
  return spec.values.filter((value) => matchesTyped(value, typed)).map((value) => createOption(value, value));
};
