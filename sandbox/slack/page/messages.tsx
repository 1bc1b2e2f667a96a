/// <reference lib="dom" />
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import type { Json, SlackPerson, StoredMessage } from '../model.ts';
import { Blocks } from './blocks.tsx';
import type { Interaction } from './blocks.tsx';
import type { Act } from './client.ts';
import { ReadOnlyBlocks } from './text.tsx';
import { optionsOf } from './view.tsx';

export interface Notice {
  id: number;
  text: string;
}

interface MessageListProps {
  messages: StoredMessage[];
  people: SlackPerson[];
  notices: Notice[];
  act: Act;
}

/** A channel from its oldest message to its newest; replies stand below what they answer. Follows new ones. */
export function MessageList({ messages, people, notices, act }: MessageListProps): ReactNode {
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
          <MessageRow message={root} people={people} act={act} />
          <div className="replies">
            {messages
              .filter((message) => message.thread_ts === root.ts && message !== root)
              .map((reply) => (
                <MessageRow key={reply.ts} message={reply} people={people} act={act} />
              ))}
          </div>
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

function MessageRow({ message, people, act }: { message: StoredMessage; people: SlackPerson[]; act: Act }): ReactNode {
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
        {message.blocks === undefined || message.blocks.length === 0 ? (
          <ReadOnlyBlocks blocks={[textBlock(message.text)]} />
        ) : (
          <Blocks blocks={message.blocks} interaction={interaction} />
        )}
        {message.edited !== undefined && <span className="edited">(edited)</span>}
      </div>
    </article>
  );
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
