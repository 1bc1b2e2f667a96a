/// <reference lib="dom" />
import { useCallback, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import type { SlackChannel } from '../model.ts';
import { fetchState, perform, watch } from './client.ts';
import type { Act, PageState } from './client.ts';
import { Composer } from './composer.tsx';
import { MessageList } from './messages.tsx';
import type { Notice } from './messages.tsx';
import { Sidebar, SideItems } from './sidebar.tsx';
import { SurroundingsContext } from './text.tsx';
import { useTheme } from './theme.tsx';
import { Home, Modal } from './view.tsx';

const FIRST_PERSON = 'U0ANA';

function useKept(key: string, initial: string): [string, (value: string) => void] {
  const asked = new URLSearchParams(location.search).get(key);
  const [value, setValue] = useState(asked ?? localStorage.getItem(key) ?? initial);
  const keep = (next: string): void => {
    localStorage.setItem(key, next);
    setValue(next);
  };
  return [value, keep];
}

/** The newest state for one person; asks again at every change, and never shows one person's state to another. */
function useWorkspace(user: string): PageState | undefined {
  const [loaded, setLoaded] = useState<{ user: string; state: PageState } | undefined>(undefined);
  useEffect(() => {
    let isCurrent = true;
    const load = async (): Promise<void> => {
      const state = await fetchState(user);
      if (isCurrent) setLoaded({ user, state });
    };
    const stop = watch(() => void load().catch(() => undefined)); // the stream reconnects and asks again
    return () => {
      isCurrent = false;
      stop();
    };
  }, [user]);
  return loaded?.user === user ? loaded.state : undefined;
}

function App(): ReactNode {
  const [user, setUser] = useKept('user', FIRST_PERSON);
  const [place, setPlace] = useState(location.pathname.split('/')[2] ?? '');
  const { theme, toggle } = useTheme();
  const state = useWorkspace(user);
  const { notices, act } = useActs(user);
  useEffect(() => {
    // The app hears of it, and publishes what this person should see there.
    if (place === 'home') void act({ kind: 'home' });
  }, [place, act]);
  if (state === undefined) return <p className="empty">Loading…</p>;
  const { people, channels, side_items: sideItems } = state;
  const channel = channels.find((one) => one.id === place) ?? channels[0];
  const current = place === 'home' ? 'home' : (channel?.id ?? '');
  const modal = state.views.filter((view) => view.type === 'modal').at(-1);
  return (
    <SurroundingsContext.Provider value={{ people, channels, theme }}>
      <Banner isConnected={state.connected} theme={theme} onToggle={toggle} />
      <div className={`layout ${sideItems.length > 0 ? 'with-side' : ''}`}>
        <Sidebar
          people={people}
          channels={channels}
          user={user}
          place={current}
          onPerson={setUser}
          onPlace={setPlace}
        />
        <main>
          {place === 'home' && <HomePlace state={state} act={act} />}
          {place !== 'home' && channel !== undefined && (
            <ChannelPlace channel={channel} state={state} notices={notices} act={act} />
          )}
        </main>
        <SideItems items={sideItems} act={act} />
      </div>
      {modal !== undefined && <Modal key={modal.id} view={modal} act={act} />}
    </SurroundingsContext.Provider>
  );
}

function Banner(props: { isConnected: boolean; theme: 'light' | 'dark'; onToggle: () => void }): ReactNode {
  return (
    <div className="banner" data-testid="banner">
      <span>Slack stand-in — a local sandbox, not Slack</span>
      {!props.isConnected && <strong data-testid="disconnected">the bot is not connected</strong>}
      <button type="button" data-testid="theme" onClick={props.onToggle}>
        {props.theme === 'dark' ? '☀ Light' : '☾ Dark'}
      </button>
    </div>
  );
}

function HomePlace({ state, act }: { state: PageState; act: Act }): ReactNode {
  const home = state.views.find((view) => view.type === 'home');
  return (
    <>
      <header className="channel-head">Medic · Home</header>
      {home === undefined && <p className="empty">The app has not published a Home for you.</p>}
      {home !== undefined && <Home key={home.id} view={home} act={act} />}
    </>
  );
}

function ChannelPlace(props: { channel: SlackChannel; state: PageState; notices: Notice[]; act: Act }): ReactNode {
  const { channel, state, notices, act } = props;
  const messages = state.messages.filter((message) => message.channel === channel.id);
  return (
    <>
      <header className="channel-head">{titleOf(channel)}</header>
      <MessageList
        messages={messages}
        people={state.people}
        previews={state.previews}
        notices={notices}
        act={act}
        shortcuts={state.shortcuts.filter((shortcut) => shortcut.type === 'message')}
      />
      <Composer
        channelName={titleOf(channel)}
        completions={state.completions}
        onSend={(text) => void send(act, channel.id, text)}
        shortcuts={state.shortcuts.filter((shortcut) => shortcut.type === 'global')}
        onShortcut={(callbackId) => void act({ kind: 'shortcut', callbackId })}
      />
    </>
  );
}

/** Acts as the person, and tells them privately what Slack would tell them when it fails. */
function useActs(user: string): { notices: Notice[]; act: Act } {
  const [all, setAll] = useState<(Notice & { user: string })[]>([]);
  const act: Act = useCallback(
    async (input) => {
      const outcome = await perform({ ...input, user });
      // Of a form that is gone already there is nothing to tell whoever closes it.
      const isShownElsewhere = ['submit', 'suggest', 'close'].includes(String(input['kind']));
      if (outcome.error !== undefined && !isShownElsewhere) {
        const what = input['kind'] === 'command' ? String(input['command']) : 'That';
        const text = `${what} failed with the error "${outcome.error}".`;
        setAll((old) => [...old.slice(-4), { id: performance.now(), text, user }]);
      }
      return outcome;
    },
    [user],
  );
  return { notices: all.filter((notice) => notice.user === user), act };
}

async function send(act: Act, channel: string, text: string): Promise<void> {
  const [, command, rest] = /^(\/\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  if (command === undefined) await act({ kind: 'say', channel, text });
  else await act({ kind: 'command', channel, command, text: rest ?? '' });
}

function titleOf(channel: SlackChannel): string {
  return channel.im_user === undefined ? `#${channel.name}` : 'Messages with Medic';
}

const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<App />);
