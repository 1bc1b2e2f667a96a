import type { App, BlockSuggestion } from '@slack/bolt';
import type { PlainTextOption } from '@slack/types';
import type { Asker } from '../../../domain/principal.ts';
import { FORMS, SEARCHES } from '../../blocks/names.ts';
import { MAX_OPTIONS, PARAM_PREFIX } from '../../blocks/param-inputs.ts';
import type { Entered } from '../../blocks/request-form.ts';
import type { BotDeps } from '../../deps.ts';
import { callerOf, identify } from '../../identify.ts';
import { openSeal } from '../../seal.ts';
import { readEntered } from '../request-state.ts';
import { suggestParamValues } from './param-values.ts';
import { suggestPlaybooks } from './playbooks.ts';
import { suggestServers } from './servers.ts';

/** What somebody typed into a menu that searches, and what stands in the rest of the form. */
export interface Search {
  deps: BotDeps;
  asker: Asker;
  actionId: string;
  typed: string;
  entered: Entered;
}

export type Suggester = (search: Search) => Promise<PlainTextOption[]> | PlainTextOption[];

/** One line a menu. */
export const SUGGESTERS: readonly (readonly [actionId: string | RegExp, suggest: Suggester])[] = [
  [SEARCHES.server, suggestServers],
  [SEARCHES.playbook, suggestPlaybooks],
  [new RegExp(`^${PARAM_PREFIX}`), suggestParamValues],
];

/** A menu that cannot be filled stays empty: Slack has no place for a sentence there. The log says why. */
export function listenToOptions(app: App, deps: BotDeps): void {
  for (const [actionId, suggest] of SUGGESTERS) {
    app.options<'block_suggestion'>({ type: 'block_suggestion', action_id: actionId }, async ({ ack, body }) => {
      const options = await findOptions(deps, body, suggest).catch((error: unknown) => {
        deps.log.warn({ err: error, user: body.user.id, menu: body.action_id }, 'a menu could not be filled');
        return [];
      });
      await ack({ options: options.slice(0, MAX_OPTIONS) });
    });
  }
}

async function findOptions(deps: BotDeps, body: BlockSuggestion, suggest: Suggester): Promise<PlainTextOption[]> {
  const userId = body.user.id;
  const { view } = body;
  if (view === undefined) return [];
  const asker = await identify(deps, callerOf(body), { tried: 'menu' });
  const form = { callbackId: FORMS.request, userId, metadata: view.private_metadata, tried: 'menu' };
  await openSeal(deps, form);
  return suggest({ deps, asker, actionId: body.action_id, typed: body.value, entered: readEntered(view) });
}
