/// <reference lib="dom" />
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { SlackShortcut } from '../model.ts';

interface ShortcutMenuProps {
  label: string;
  symbol: string;
  shortcuts: SlackShortcut[];
  onPick: (callbackId: string) => void;
}

/** What an app put into the composer's or a message's menu. */
export function ShortcutMenu({ label, symbol, shortcuts, onPick }: ShortcutMenuProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  if (shortcuts.length === 0) return null;
  return (
    <div
      className="shortcut-menu"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') setOpen(false);
      }}
    >
      <button
        type="button"
        className="icon-button small"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        data-testid={label.toLowerCase().replaceAll(' ', '-')}
        onClick={() => {
          setOpen(!isOpen);
        }}
      >
        {symbol}
      </button>
      {isOpen && (
        <ul role="menu">
          {shortcuts.map((shortcut) => (
            <li key={shortcut.callbackId} role="none">
              <button
                type="button"
                role="menuitem"
                data-testid={`shortcut-${shortcut.callbackId}`}
                onClick={() => {
                  setOpen(false);
                  onPick(shortcut.callbackId);
                }}
              >
                <strong>{shortcut.name}</strong>
                <small>{shortcut.description}</small>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
