import { playbookOption } from '../../blocks/request-form.ts';
import { matchesTyped } from './matches-typed.ts';
import type { Suggester } from './index.ts';

/** Where there are more playbooks than a menu can list. */
export const suggestPlaybooks: Suggester = ({ deps, typed }) =>
  [...deps.ctx.config.current().playbooks.values()]
    .filter(({ name, title }) => matchesTyped(`${name} ${title}`, typed))
    .map(playbookOption);
