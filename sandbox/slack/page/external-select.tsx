/// <reference lib="dom" />
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { isJson, listOf, textOf } from '../model.ts';
import type { Json } from '../model.ts';
import type { ElementProps } from './elements.tsx';
import { plainText } from './text.tsx';

const PAUSE_MS = 200; // as long as a person types, nothing is asked

/** A menu whose options the app offers while the person types. */
export function ExternalSelect({ element, value, onChange, suggest, labelId }: ElementProps): ReactNode {
  const isMulti = element['type'] === 'multi_external_select';
  const chosen = Array.isArray(value) ? listOf(value) : [];
  const actionId = textOf(element['action_id']);
  const [query, setQuery] = useState<string | undefined>(undefined);
  const [options, setOptions] = useState<Json[]>([]);
  const minLength = Number(element['min_query_length'] ?? 3);
  useEffect(() => {
    if (query === undefined || query.length < minLength) return undefined;
    const timer = setTimeout(() => void suggest(actionId, query).then(setOptions), PAUSE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [query, actionId, minLength, suggest]);
  return (
    <div className="combobox">
      {chosen.map((option) => (
        <button
          key={textOf(option['value'])}
          type="button"
          className="token"
          aria-label={`Remove ${plainText(option['text'])}`}
          onClick={() => {
            onChange(chosen.filter((one) => one !== option));
          }}
        >
          {plainText(option['text'])} ×
        </button>
      ))}
      <input
        aria-labelledby={labelId}
        data-action-id={actionId}
        role="combobox"
        aria-expanded={query !== undefined}
        placeholder={plainText(element['placeholder']) || 'Type to search'}
        value={query ?? (isJson(value) ? plainText(value['text']) : '')}
        onFocus={() => {
          setQuery('');
        }}
        onChange={(event) => {
          setQuery(event.target.value);
        }}
        onBlur={() => {
          setQuery(undefined);
        }}
      />
      {query !== undefined && options.length > 0 && (
        <ul role="listbox">
          {options.map((option) => (
            <li
              key={textOf(option['value'])}
              role="option"
              aria-selected={false}
              // Before the blur of the field, which closes the list.
              onMouseDown={(event) => {
                event.preventDefault();
                onChange(isMulti ? [...chosen.filter((one) => one['value'] !== option['value']), option] : option);
                setQuery(undefined);
              }}
            >
              {plainText(option['text'])}
              {option['description'] !== undefined && <small> {plainText(option['description'])}</small>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
