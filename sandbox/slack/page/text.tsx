/// <reference lib="dom" />
import { Component, createContext, useContext } from 'react';
import type { ReactNode } from 'react';
import { Message } from 'slack-blocks-to-jsx';
import type { Block } from 'slack-blocks-to-jsx';
import type { Json, SlackChannel, SlackPerson } from '../model.ts';

export interface Surroundings {
  people: SlackPerson[];
  channels: SlackChannel[];
  theme: 'light' | 'dark';
}

export const SurroundingsContext = createContext<Surroundings>({ people: [], channels: [], theme: 'light' });

/** Blocks that are only read, drawn as Slack draws them. What the renderer cannot draw is shown as plain text. */
export function ReadOnlyBlocks({ blocks }: { blocks: Json[] }): ReactNode {
  const { people, channels, theme } = useContext(SurroundingsContext);
  return (
    <DrawnOrPlain plain={JSON.stringify(blocks)} key={JSON.stringify(blocks)}>
      <Message
        blocks={blocks.map(withDates) as unknown as Block[]}
        logo=""
        name=""
        theme={theme}
        withoutWrapper
        data={{ users: people, channels }}
        hooks={{
          user: ({ id }) => <span className="mention">@{people.find((one) => one.id === id)?.name ?? id}</span>,
          channel: ({ id }) => <span className="mention">#{channels.find((one) => one.id === id)?.name ?? id}</span>,
          link: ({ href, children }) => <SafeLink href={href}>{children}</SafeLink>,
        }}
      />
    </DrawnOrPlain>
  );
}

/** A link that can only lead to a web page: an app's text must not run anything here. */
export function SafeLink({ href, children }: { href: string; children: ReactNode }): ReactNode {
  if (!/^(https?|mailto):/i.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

export function plainText(value: unknown): string {
  const text = (value as { text?: unknown } | undefined)?.text;
  return typeof text === 'string' ? text : '';
}

class DrawnOrPlain extends Component<{ plain: string; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? <pre>{this.props.plain}</pre> : this.props.children;
  }
}

/** The renderer knows dates only where they stand alone, so they are written out before it sees them. */
function withDates<T>(part: T): T {
  if (Array.isArray(part)) return part.map(withDates) as T;
  if (typeof part !== 'object' || part === null) return part;
  const { type, text } = part as { type?: unknown; text?: unknown };
  const copy = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, withDates(value as unknown)]));
  if (type !== 'mrkdwn' || typeof text !== 'string') return copy as T;
  copy['text'] = writeDates(text);
  // The renderer takes `verbatim` for "no marks at all"; for Slack it only means that nothing more is made a link.
  if (LINK.test(text)) delete copy['verbatim'];
  return copy as T;
}

const LINK = /^<https?:[^|<>]+\|[^<>&]*>$/;

function writeDates(text: string): string {
  return text.replace(
    /<!date\^(\d+)\^([^|^>]+)(?:\^[^|>]*)?\|([^>]*)>/g,
    (_, seconds: string, format: string, fallback: string) => formatDate(Number(seconds), format, fallback),
  );
}

function formatDate(seconds: number, format: string, fallback: string): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  const day = date.toLocaleDateString(undefined, { month: 'short', day: 'numeric', year: 'numeric' });
  const isToday = new Date().toDateString() === date.toDateString();
  return format
    .replace(/\{date(_short|_long)?_pretty\}/g, isToday ? 'today' : day)
    .replace(/\{date_num\}/g, date.toISOString().slice(0, 10))
    .replace(/\{date(_short|_long)?\}/g, day)
    .replace(/\{time_secs\}/g, date.toLocaleTimeString())
    .replace(/\{time\}/g, date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' }))
    .replace(/\{ago\}/g, day);
}
