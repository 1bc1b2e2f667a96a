/// <reference lib="dom" />
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import type { Json, SlackPerson, SlackShortcut, StoredMessage } from '../model.ts';
import { Blocks } from './blocks.tsx';
import type { Interaction } from './blocks.tsx';
import type { Act } from './client.ts';
import { Files } from './files.tsx';
import { ShortcutMenu } from './shortcut-menu.tsx';
import { ReadOnlyBlocks } from './text.tsx';
import { optionsOf } from './view.tsx';

export interface Notice {
  id: number;
  text: string;
}

interface MessageListProps {
  messages: StoredMessage[];
  people: SlackPerson[];
  previews: Record<string, string>;
  notices: Notice[];
  act: Act;
  /** What an app put into the menu of a message. */
  shortcuts: SlackShortcut[];
}

/** A channel from its oldest message to its newest; replies stand below what they answer. Follows new ones. */
export function MessageList(props: MessageListProps): ReactNode {
  const { messages, notices } = props;
  const end = useRef<HTMLDivElement>(null);
  const newest = messages.at(-1)?.ts ?? '';
  useEffect(() => {
    const wanted = document.getElementById(location.pathname.split('/').at(-1) ?? '');
    (wanted ?? end.current)?.scrollIntoView({ block: 'nearest' });
  }, [newest, notices.length]);
  const roots = messages.filter((message) => message.thread_ts === undefined || message.thread_ts === message.ts);
  return (
    <div className="messages" role="log">
      {messages.length === 0 && (
        <p className="empty">
          Nothing here yet. Type <code>/</code> below to ask the bot for something.
        </p>
      )}
      {roots.map((root) => (
        <div key={root.ts}>
          <MessageRow {...props} message={root} />
          <Replies {...props} replies={messages.filter((one) => one.thread_ts === root.ts && one !== root)} />
        </div>
      ))}
      {notices.map((notice) => (
        <p key={notice.id} className="notice" data-testid="notice">
          <PrivateMark />
          {notice.text}
        </p>
      ))}
      <div ref={end} />
    </div>
  );
}

/** A thread: closed until somebody opens it, as in a channel of Slack. */
function Replies({ replies, ...props }: MessageListProps & { replies: StoredMessage[] }): ReactNode {
  const last = replies.at(-1);
  if (last === undefined) return null;
  return (
    <details className="replies" data-testid="replies">
      <summary>
        {replies.length === 1 ? '1 reply' : `${String(replies.length)} replies`}{' '}
        <small>last at {timeOf(last.ts)}</small>
      </summary>
      {replies.map((reply) => (
        <MessageRow key={reply.ts} {...props} message={reply} />
      ))}
    </details>
  );
}

function MessageRow({
  message,
  people,
  previews,
  act,
  shortcuts,
}: MessageListProps & { message: StoredMessage }): ReactNode {
  const author = people.find((one) => one.id === message.user);
  const isPrivate = message.ephemeral_to !== undefined;
  const name = author?.real_name ?? message.user;
  const target = { channel: message.channel, ts: message.ts };
  const interaction: Interaction = {
    errors: {},
    valueOf: () => null,
    onEnter: () => undefined,
    onAction: (actionId, change) => void act({ kind: 'click', ...target, actionId, ...change }),
    suggest: async (actionId, value) => optionsOf(await act({ kind: 'suggest', ...target, actionId, value })),
  };
  return (
    <article
      className={`message ${isPrivate ? 'private' : ''}`}
      id={`p${message.ts.replace('.', '')}`}
      data-testid="message"
      data-ts={message.ts}
      data-ephemeral={isPrivate}
    >
      <Avatar name={name} isBot={author?.is_bot === true} />
      <div className="message-body">
        {isPrivate && <PrivateMark />}
        <div className="message-head">
          <strong>{name}</strong>
          {author?.is_bot === true && <span className="app-badge">APP</span>}
          <a href={`/archives/${message.channel}/p${message.ts.replace('.', '')}`}>{timeOf(message.ts)}</a>
        </div>
        <Content message={message} interaction={interaction} />
        <Files files={message.files ?? []} previews={previews} />
        {message.edited !== undefined && <span className="edited">(edited)</span>}
      </div>
      {!isPrivate && (
        <ShortcutMenu
          label="More actions"
          symbol="⋮"
          shortcuts={shortcuts}
          onPick={(callbackId) => void act({ kind: 'message_shortcut', ...target, callbackId })}
        />
      )}
    </article>
  );
}

function Content({ message, interaction }: { message: StoredMessage; interaction: Interaction }): ReactNode {
  if (message.blocks !== undefined && message.blocks.length > 0)
    return <Blocks blocks={message.blocks} interaction={interaction} />;
  const isOnlyFiles = message.text === '' && message.files !== undefined;
  return isOnlyFiles ? null : <ReadOnlyBlocks blocks={[textBlock(message.text)]} />;
}

export function Avatar({ name, isBot }: { name: string; isBot: boolean }): ReactNode {
  const hue = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0) * 47, 0) % 360;
  return (
    <span
      className="avatar"
      aria-hidden="true"
      style={{ background: isBot ? '#4a154b' : `hsl(${String(hue)} 45% 42%)` }}
    >
      {isBot ? '✚' : name.slice(0, 1).toUpperCase()}
    </span>
  );
}

function PrivateMark(): ReactNode {
  return <span className="private-mark">Only visible to you</span>;
}

function textBlock(text: string): Json {
  return { type: 'section', text: { type: 'mrkdwn', text: text === '' ? ' ' : text } };
}

function timeOf(ts: string): string {
  return new Date(Number(ts) * 1000).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
}
