/// <reference lib="dom" />
import { useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import type { SlackShortcut } from '../model.ts';
import { ShortcutMenu } from './shortcut-menu.tsx';

interface Completion {
  command: string;
  hint: string;
}

export interface ComposerProps {
  channelName: string;
  completions: Completion[];
  onSend: (text: string) => void;
  shortcuts: SlackShortcut[];
  onShortcut: (callbackId: string) => void;
}

/** Where a person types. Tab completes a command, Enter sends, Shift+Enter starts a new line. */
export function Composer({ channelName, completions, onSend, shortcuts, onShortcut }: ComposerProps): ReactNode {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(-1);
  const offers = offersFor(text, completions);
  const current = completions.filter(({ command }) => text.startsWith(`${command} `) || text === command).at(-1);
  const complete = (command: string): void => {
    setText(`${command} `);
    setChosen(-1);
  };
  const send = (): void => {
    if (text.trim() === '') return;
    onSend(text.trim());
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const offer = offers[Math.max(0, chosen)];
    if (event.key === 'Tab' && offer !== undefined) complete(offer.command);
    else if (event.key === 'ArrowDown' && offers.length > 0) setChosen((chosen + 1) % offers.length);
    else if (event.key === 'ArrowUp' && offers.length > 0) setChosen((chosen + offers.length - 1) % offers.length);
    else if (event.key === 'Enter' && !event.shiftKey && offer !== undefined && chosen >= 0) complete(offer.command);
    else if (event.key === 'Enter' && !event.shiftKey) send();
    else return;
    event.preventDefault();
  };
  return (
    <div className="composer">
      <Offers offers={offers} chosen={chosen} onPick={complete} />
      <textarea
        data-testid="composer"
        aria-label={`Message ${channelName}`}
        placeholder={`Message ${channelName} — type / for commands`}
        rows={2}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setChosen(-1);
        }}
        onKeyDown={onKeyDown}
      />
      <div className="composer-foot">
        <ShortcutMenu label="Shortcuts" symbol="⚡" shortcuts={shortcuts} onPick={onShortcut} />
        <span className="composer-hint">
          {offers.length === 0 && current !== undefined ? `${current.command} ${current.hint}` : ''}
        </span>
        <SendButton isReady={text.trim() !== ''} onSend={send} />
      </div>
    </div>
  );
}

function offersFor(text: string, completions: Completion[]): Completion[] {
  const typed = text.trimEnd();
  if (!typed.startsWith('/')) return [];
  return completions.filter(({ command }) => command.startsWith(typed) && command !== typed);
}

function Offers(props: { offers: Completion[]; chosen: number; onPick: (command: string) => void }): ReactNode {
  if (props.offers.length === 0) return null;
  return (
    <ul className="completions" data-testid="completions">
      {props.offers.map((offer, index) => (
        <li
          key={offer.command}
          className={index === props.chosen ? 'chosen' : ''}
          onMouseDown={(event) => {
            event.preventDefault(); // the text keeps the focus
            props.onPick(offer.command);
          }}
        >
          <strong>{offer.command}</strong> <span>{offer.hint}</span>
        </li>
      ))}
    </ul>
  );
}

function SendButton({ isReady, onSend }: { isReady: boolean; onSend: () => void }): ReactNode {
  return (
    <button type="button" className="send" data-testid="send" aria-label="Send" disabled={!isReady} onClick={onSend}>
      ➤
    </button>
  );
}
