/// <reference lib="dom" />
import type { ReactNode } from 'react';
import { isJson, listOf, textOf } from '../model.ts';
import type { Json } from '../model.ts';
import { ButtonElement, isTyped, ValueElement } from './elements.tsx';
import { TableBlock } from './table.tsx';
import { plainText, ReadOnlyBlocks } from './text.tsx';

export interface Interaction {
  /** A button was pressed or a menu changed where the app wants to hear of it. */
  onAction: (actionId: string, change: { value?: string; selected?: unknown }) => void;
  suggest: (actionId: string, query: string) => Promise<Json[]>;
  valueOf: (blockId: string, actionId: string) => unknown;
  onEnter: (blockId: string, actionId: string, value: unknown) => void;
  errors: Record<string, string>;
}

/** A list of blocks: what is read goes to the renderer, what is used is drawn here. */
export function Blocks({ blocks, interaction }: { blocks: Json[]; interaction: Interaction }): ReactNode {
  return (
    <div className="blocks">
      {blocks.map((block, index) => (
        <OneBlock key={textOf(block['block_id']) || index} block={block} interaction={interaction} />
      ))}
    </div>
  );
}

function OneBlock({ block, interaction }: { block: Json; interaction: Interaction }): ReactNode {
  const blockId = textOf(block['block_id']);
  if (block['type'] === 'actions') {
    return (
      <div className="actions">
        {listOf(block['elements']).map((element, index) => (
          <Used
            key={textOf(element['action_id']) || index}
            element={element}
            blockId={blockId}
            interaction={interaction}
          />
        ))}
      </div>
    );
  }
  if (block['type'] === 'table') return <TableBlock block={block} />;
  if (block['type'] === 'input') return <InputBlock block={block} interaction={interaction} />;
  const accessory = block['accessory'];
  if (block['type'] === 'section' && isJson(accessory) && accessory['type'] !== 'image') {
    const { accessory: _accessory, ...rest } = block;
    return (
      <div className="section-with-accessory">
        <ReadOnlyBlocks blocks={[rest]} />
        <Used element={accessory} blockId={blockId} interaction={interaction} />
      </div>
    );
  }
  return <ReadOnlyBlocks blocks={[block]} />;
}

function Used({
  element,
  blockId,
  interaction,
}: {
  element: Json;
  blockId: string;
  interaction: Interaction;
}): ReactNode {
  const actionId = textOf(element['action_id']);
  if (element['type'] === 'button') {
    const value = element['value'];
    return (
      <ButtonElement
        element={element}
        blockId={blockId}
        onClick={() => {
          interaction.onAction(actionId, typeof value === 'string' ? { value } : {});
        }}
      />
    );
  }
  return (
    <ValueElement
      element={element}
      blockId={blockId}
      value={interaction.valueOf(blockId, actionId)}
      suggest={interaction.suggest}
      onChange={(selected) => {
        interaction.onEnter(blockId, actionId, selected);
        interaction.onAction(actionId, { selected });
      }}
    />
  );
}

function InputBlock({ block, interaction }: { block: Json; interaction: Interaction }): ReactNode {
  const blockId = textOf(block['block_id']);
  const element = isJson(block['element']) ? block['element'] : {};
  const actionId = textOf(element['action_id']);
  const error = interaction.errors[blockId];
  return (
    <div className={`input-block ${error === undefined ? '' : 'wrong'}`} data-block-id={blockId}>
      <label className="input-label" id={`label-${blockId}`}>
        {plainText(block['label'])}
        {block['optional'] === true && <small> (optional)</small>}
      </label>
      <ValueElement
        element={element}
        blockId={blockId}
        value={interaction.valueOf(blockId, actionId)}
        suggest={interaction.suggest}
        onChange={(value) => {
          interaction.onEnter(blockId, actionId, value);
          if (block['dispatch_action'] === true && !isTyped(element))
            interaction.onAction(actionId, { selected: value });
        }}
        onCommit={(value) => {
          if (block['dispatch_action'] === true) interaction.onAction(actionId, { selected: value });
        }}
        labelId={`label-${blockId}`}
      />
      {error !== undefined && (
        <p className="field-error" role="alert" data-testid={`error-${blockId}`}>
          {error}
        </p>
      )}
      {block['hint'] !== undefined && <p className="hint">{plainText(block['hint'])}</p>}
    </div>
  );
}
