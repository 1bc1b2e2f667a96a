/// <reference lib="dom" />
import { useContext, useState } from 'react';
import type { ReactNode } from 'react';
import { listOf, textOf } from '../model.ts';
import type { Json } from '../model.ts';
import { optionsIn } from '../view-state.ts';
import { ExternalSelect } from './external-select.tsx';
import { plainText, SurroundingsContext } from './text.tsx';

export interface ElementProps {
  element: Json;
  blockId: string;
  /** As entered: text, an option's value, a list of values, or an option of an external menu. */
  value: unknown;
  onChange: (value: unknown) => void;
  /** Enter was pressed in a text field; where a form dispatches its texts, this is when. */
  onCommit?: (value: unknown) => void;
  /** The id of what names it on the screen. */
  labelId?: string;
  suggest: (actionId: string, query: string) => Promise<Json[]>;
}

/** One interactive element that holds a value. Buttons are drawn by `ButtonElement`. */
export function ValueElement(props: ElementProps): ReactNode {
  const type = textOf(props.element['type']);
  if (type.endsWith('external_select')) return <ExternalSelect {...props} />;
  if (type === 'checkboxes' || type === 'radio_buttons') return <Choices {...props} />;
  if (type.startsWith('multi_')) return <MultiMenu {...props} />;
  if (type.endsWith('_select')) return <Menu {...props} />;
  if (type === 'overflow') return <Menu {...props} />;
  return <TextField {...props} />;
}

/** Whether a person types into it letter by letter. */
export function isTyped(element: Json): boolean {
  return textOf(element['type']).endsWith('_input');
}

/** A button; one with a `confirm` asks first. */
export function ButtonElement({
  element,
  blockId,
  onClick,
}: {
  element: Json;
  blockId: string;
  onClick: () => void;
}): ReactNode {
  const [isAsking, setAsking] = useState(false);
  const confirm = element['confirm'] as Json | undefined;
  const url = textOf(element['url']);
  const press = (): void => {
    if (url !== '' && /^https?:/i.test(url)) window.open(url, '_blank', 'noopener,noreferrer');
    onClick();
  };
  return (
    <>
      <button
        type="button"
        className={`slack-button ${textOf(element['style'])}`}
        data-action-id={textOf(element['action_id'])}
        data-block-id={blockId}
        data-value={textOf(element['value'])}
        aria-label={textOf(element['accessibility_label']) || undefined}
        onClick={() => {
          if (confirm === undefined) press();
          else setAsking(true);
        }}
      >
        {plainText(element['text'])}
      </button>
      {isAsking && confirm !== undefined && (
        <Confirm
          confirm={confirm}
          onEnd={(isSure) => {
            setAsking(false);
            if (isSure) press();
          }}
        />
      )}
    </>
  );
}

function Confirm({ confirm, onEnd }: { confirm: Json; onEnd: (isSure: boolean) => void }): ReactNode {
  return (
    <div className="overlay" role="dialog" aria-modal="true" data-testid="confirm">
      <div className="dialog small">
        <h2>{plainText(confirm['title'])}</h2>
        <p>{plainText(confirm['text'])}</p>
        <div className="dialog-buttons">
          <button
            type="button"
            className="slack-button"
            data-testid="confirm-deny"
            onClick={() => {
              onEnd(false);
            }}
          >
            {plainText(confirm['deny'])}
          </button>
          <button
            type="button"
            className={`slack-button ${textOf(confirm['style']) || 'primary'}`}
            data-testid="confirm-ok"
            onClick={() => {
              onEnd(true);
            }}
          >
            {plainText(confirm['confirm'])}
          </button>
        </div>
      </div>
    </div>
  );
}

function TextField({ element, value, onChange, onCommit, labelId }: ElementProps): ReactNode {
  const isNumber = element['type'] === 'number_input';
  const shared = {
    'aria-labelledby': labelId,
    inputMode: isNumber ? ('decimal' as const) : undefined,
    'data-action-id': textOf(element['action_id']),
    placeholder: plainText(element['placeholder']),
    value: textOf(value),
    autoFocus: element['focus_on_load'] === true,
    onChange: (event: { target: { value: string } }) => {
      onChange(event.target.value);
    },
  };
  if (element['multiline'] === true) return <textarea rows={4} {...shared} />;
  return (
    <input
      type={INPUT_TYPES[textOf(element['type'])] ?? 'text'}
      {...shared}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onCommit?.(event.currentTarget.value);
      }}
    />
  );
}

const INPUT_TYPES: Record<string, string> = {
  datepicker: 'date',
  timepicker: 'time',
  number_input: 'text',
  email_text_input: 'email',
};

function Choices({ element, blockId, value, onChange, labelId }: ElementProps): ReactNode {
  const isMulti = element['type'] === 'checkboxes';
  const chosen = isMulti ? asList(value) : [value];
  return (
    <div className="choices" role="group" aria-labelledby={labelId} data-action-id={textOf(element['action_id'])}>
      {listOf(element['options']).map((option) => {
        const name = textOf(option['value']);
        const isOn = chosen.includes(name);
        const next = isOn ? chosen.filter((one) => one !== name) : [...chosen, name];
        return (
          <label key={name}>
            <input
              type={isMulti ? 'checkbox' : 'radio'}
              name={`${blockId}-${textOf(element['action_id'])}`}
              checked={isOn}
              onChange={() => {
                onChange(isMulti ? next : name);
              }}
            />
            <span>
              {plainText(option['text'])}
              {option['description'] !== undefined && <small>{plainText(option['description'])}</small>}
            </span>
          </label>
        );
      })}
    </div>
  );
}

function Menu({ element, value, onChange, labelId }: ElementProps): ReactNode {
  const { people, channels } = useContext(SurroundingsContext);
  const isOverflow = element['type'] === 'overflow';
  return (
    <select
      data-action-id={textOf(element['action_id'])}
      aria-labelledby={labelId}
      aria-label={labelId === undefined ? plainText(element['placeholder']) || 'More' : undefined}
      className={isOverflow ? 'overflow-menu' : undefined}
      value={textOf(value)}
      onChange={(event) => {
        onChange(event.target.value || null);
      }}
    >
      <option value="">{isOverflow ? '⋯' : plainText(element['placeholder']) || 'Choose an option'}</option>
      {listOf(element['option_groups']).length > 0
        ? listOf(element['option_groups']).map((group, index) => (
            <optgroup key={index} label={plainText(group['label'])}>
              {choicesOf(group, people, channels).map((choice) => (
                <option key={choice.value} value={choice.value}>
                  {choice.label}
                </option>
              ))}
            </optgroup>
          ))
        : choicesOf(element, people, channels).map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
    </select>
  );
}

/** A menu of which several may be chosen: each a line with its box, so that a thumb can hit it. */
function MultiMenu({ element, value, onChange, labelId }: ElementProps): ReactNode {
  const { people, channels } = useContext(SurroundingsContext);
  const chosen = asList(value).map(String);
  return (
    <div
      className="choices multi-menu"
      role="group"
      aria-labelledby={labelId}
      data-action-id={textOf(element['action_id'])}
    >
      {choicesOf(element, people, channels).map((choice) => (
        <label key={choice.value}>
          <input
            type="checkbox"
            checked={chosen.includes(choice.value)}
            onChange={(event) => {
              const others = chosen.filter((one) => one !== choice.value);
              onChange(event.target.checked ? [...others, choice.value] : others);
            }}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </div>
  );
}

function choicesOf(
  element: Json,
  people: { id: string; name: string }[],
  channels: { id: string; name: string }[],
): { value: string; label: string }[] {
  const type = textOf(element['type']);
  if (type.endsWith('users_select')) return people.map((one) => ({ value: one.id, label: `@${one.name}` }));
  if (type.endsWith('channels_select') || type.endsWith('conversations_select')) {
    return channels.map((one) => ({ value: one.id, label: `#${one.name}` }));
  }
  return optionsIn(element).map((option) => ({ value: textOf(option['value']), label: plainText(option['text']) }));
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
