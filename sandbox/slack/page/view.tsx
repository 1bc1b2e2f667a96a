/// <reference lib="dom" />
import { useState } from 'react';
import type { ReactNode } from 'react';
import { elementsOf } from '../block-ids.ts';
import { isJson, listOf, textOf } from '../model.ts';
import type { DeliveryOutcome, Json, StoredView } from '../model.ts';
import { Blocks } from './blocks.tsx';
import type { Interaction } from './blocks.tsx';
import type { Act } from './client.ts';
import { plainText } from './text.tsx';

type Entered = Record<string, Record<string, unknown>>;
/** What was entered, and into which element: a view that is updated may have another one under the same name. */
type Kept = Record<string, Record<string, { value: unknown; element: string }>>;

/** What a view's elements hold, and how the app hears of it; for modals and Home alike. */
function useView(
  view: StoredView,
  act: Act,
): { interaction: Interaction; entered: Entered; setErrors: (errors: Record<string, string>) => void } {
  const [kept, setKept] = useState<Kept>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const elements = new Map(
    elementsOf(view.blocks).map(({ block, element }) => [
      `${textOf(block['block_id'])} ${textOf(element['action_id'])}`,
      JSON.stringify(element),
    ]),
  );
  const elementAt = (blockId: string, actionId: string): string => elements.get(`${blockId} ${actionId}`) ?? '';
  const entered = enteredOf(kept, elementAt);
  const interaction: Interaction = {
    errors,
    valueOf: (blockId, actionId) => {
      const own = entered[blockId];
      return own !== undefined && actionId in own ? own[actionId] : valueOf(view.values[blockId]?.[actionId]);
    },
    onEnter: (blockId, actionId, value) => {
      setErrors(({ [blockId]: _mended, ...others }) => others);
      const entry = { value, element: elementAt(blockId, actionId) };
      setKept((old) => ({ ...old, [blockId]: { ...old[blockId], [actionId]: entry } }));
    },
    onAction: (actionId, change) => void act({ kind: 'click', viewId: view.id, actionId, ...change, values: entered }),
    suggest: async (actionId, value) => optionsOf(await act({ kind: 'suggest', viewId: view.id, actionId, value })),
  };
  return { interaction, entered, setErrors };
}

function enteredOf(kept: Kept, elementAt: (blockId: string, actionId: string) => string): Entered {
  const blocks = Object.entries(kept).map(([blockId, actions]): [string, Record<string, unknown>] => [
    blockId,
    Object.fromEntries(
      Object.entries(actions)
        .filter(([actionId, { element }]) => element === elementAt(blockId, actionId))
        .map(([actionId, { value }]) => [actionId, value]),
    ),
  ]);
  return Object.fromEntries(blocks);
}

export function Modal({ view, act }: { view: StoredView; act: Act }): ReactNode {
  const { interaction, entered, setErrors } = useView(view, act);
  const [trouble, setTrouble] = useState('');
  const close = (): void => void act({ kind: 'close', viewId: view.id });
  const submit = async (): Promise<void> => {
    setTrouble('');
    const outcome = await act({ kind: 'submit', viewId: view.id, values: entered });
    const body: Json = isJson(outcome.body) ? outcome.body : {};
    if (body['response_action'] === 'errors') setErrors(body['errors'] as Record<string, string>);
    else if (outcome.error !== undefined) setTrouble(`We had some trouble connecting. Try again? (${outcome.error})`);
  };
  return (
    <div
      className="overlay"
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <div className="dialog" role="dialog" aria-modal="true" aria-label={plainText(view.title)} data-testid="modal">
        <header>
          <h2>{plainText(view.title)}</h2>
          <button type="button" className="icon-button" aria-label="Close" data-testid="modal-dismiss" onClick={close}>
            ×
          </button>
        </header>
        <div className="dialog-body">
          <Blocks blocks={view.blocks} interaction={interaction} />
          {trouble !== '' && (
            <p className="field-error" role="alert">
              {trouble}
            </p>
          )}
        </div>
        <ModalButtons view={view} onClose={close} onSubmit={() => void submit()} />
      </div>
    </div>
  );
}

function ModalButtons(props: { view: StoredView; onClose: () => void; onSubmit: () => void }): ReactNode {
  const { view, onClose, onSubmit } = props;
  return (
    <footer className="dialog-buttons">
      <button type="button" className="slack-button" data-testid="modal-close" onClick={onClose}>
        {plainText(view.close) || 'Cancel'}
      </button>
      {isJson(view.submit) && (
        <button type="button" className="slack-button primary" data-testid="modal-submit" onClick={onSubmit}>
          {plainText(view.submit)}
        </button>
      )}
    </footer>
  );
}

export function Home({ view, act }: { view: StoredView; act: Act }): ReactNode {
  const { interaction } = useView(view, act);
  return (
    <div className="home" data-testid="home">
      <Blocks blocks={view.blocks} interaction={interaction} />
    </div>
  );
}

/** The options in an app's answer to a search, groups flattened. */
export function optionsOf(outcome: DeliveryOutcome): Json[] {
  const body: Json = isJson(outcome.body) ? outcome.body : {};
  return [...listOf(body['options']), ...listOf(body['option_groups']).flatMap((group) => listOf(group['options']))];
}

/** A payload's state as it is entered here. */
function valueOf(state: Json | undefined): unknown {
  if (state === undefined) return null;
  const type = textOf(state['type']);
  if (Array.isArray(state['selected_options'])) {
    const options = listOf(state['selected_options']);
    return type === 'multi_external_select' ? options : options.map((option) => option['value']);
  }
  const option = state['selected_option'];
  if (isJson(option)) return type === 'external_select' ? option : option['value'];
  const value = Object.entries(state).find(([key]) => key !== 'type')?.[1];
  return value ?? null;
}
