import { isJson, listOf } from './model.ts';
import type { Json } from './model.ts';

/** Slack gives an id to every block and every element that comes without one. */
export function withIds(blocks: Json[]): Json[] {
  return blocks.map((block) => {
    const named: Json = { ...block, block_id: nonEmpty(block['block_id']) ?? randomId() };
    if (block['type'] === 'actions') named['elements'] = listOf(block['elements']).map(withActionId);
    if (isJson(block['accessory']) && block['accessory']['type'] !== 'image')
      named['accessory'] = withActionId(block['accessory']);
    if (isJson(block['element'])) named['element'] = withActionId(block['element']);
    return named;
  });
}

export interface FoundElement {
  block: Json;
  element: Json;
}

/** Every element a person can use, with the block it stands in. */
export function elementsOf(blocks: Json[]): FoundElement[] {
  return blocks.flatMap((block) => {
    const own = block['type'] === 'actions' ? listOf(block['elements']) : [];
    const single = [block['accessory'], block['element']].filter(isJson);
    return [...own, ...single]
      .filter((element) => element['action_id'] !== undefined)
      .map((element) => ({ block, element }));
  });
}

function withActionId(element: Json): Json {
  return { ...element, action_id: nonEmpty(element['action_id']) ?? randomId() };
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function randomId(): string {
  return crypto.randomUUID().slice(0, 8);
}
