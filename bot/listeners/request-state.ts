import type { ViewOutput } from '@slack/bolt';
import type { Playbook } from '../../playbook/playbook.ts';
import { CHECKED, PARAM_PREFIX } from '../blocks/param-inputs.ts';
import type { Entered } from '../blocks/request-form.ts';

type State = ViewOutput['state']['values'];
type Field = State[string][string];

/** What somebody has filled into the request form so far. */
export function readEntered(view: Pick<ViewOutput, 'state'>): Entered {
  const values = view.state.values as State | undefined;
  const blocks = Object.entries(values ?? {}).map(
    ([block, fields]) => [block, readField(Object.values(fields)[0])] as const,
  );
  const byBlock = new Map(blocks);
  const params = blocks.filter(([block]) => block.startsWith(PARAM_PREFIX));
  return {
    playbook: byBlock.get('playbook') ?? '',
    server: byBlock.get('server') ?? '',
    params: Object.fromEntries(params.map(([block, value]) => [block.slice(PARAM_PREFIX.length), value])),
    reason: byBlock.get('reason') ?? '',
  };
}

/** The values for the playbook's own parameters; an empty field leaves its parameter out. */
export function typedParams(playbook: Playbook, entered: Entered): Record<string, string> {
  const given = Object.entries(entered.params).filter(
    ([name, value]) => value !== '' && Object.hasOwn(playbook.params, name),
  );
  return Object.fromEntries(given);
}

function readField(field: Field | undefined): string {
  if (field === undefined) return '';
  if (field.type === 'checkboxes') return String((field.selected_options ?? []).some(({ value }) => value === CHECKED));
  return field.selected_option?.value ?? field.value ?? '';
}
