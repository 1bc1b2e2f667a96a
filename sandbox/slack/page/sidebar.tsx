/// <reference lib="dom" />
import type { ReactNode } from 'react';
import { TEAM_ID } from '../model.ts';
import type { SidePanelItem, SlackChannel, SlackPerson } from '../model.ts';
import type { Act } from './client.ts';
import { Avatar } from './messages.tsx';

interface SidebarProps {
  people: SlackPerson[];
  channels: SlackChannel[];
  user: string;
  place: string;
  onPerson: (id: string) => void;
  onPlace: (place: string) => void;
}

/** Channels, the app, and who one is: everybody in this workspace is played by the person at the screen. */
export function Sidebar({ people, channels, user, place, onPerson, onPlace }: SidebarProps): ReactNode {
  return (
    <nav className="sidebar">
      <h1>Medic sandbox</h1>
      <div className="nav-group">
        <h2>Channels</h2>
        {channels.map((channel) => (
          <button
            key={channel.id}
            type="button"
            className={`nav-item ${place === channel.id ? 'active' : ''}`}
            data-testid={`channel-${channel.id}`}
            onClick={() => {
              onPlace(channel.id);
            }}
          >
            {channel.im_user === undefined ? `# ${channel.name}` : '✉ Messages with Medic'}
          </button>
        ))}
        <h2>Apps</h2>
        <button
          type="button"
          className={`nav-item ${place === 'home' ? 'active' : ''}`}
          data-testid="home-tab"
          onClick={() => {
            onPlace('home');
          }}
        >
          ✚ Medic · Home
        </button>
      </div>
      <PersonSwitch people={people} user={user} onPerson={onPerson} />
    </nav>
  );
}

function PersonSwitch({ people, user, onPerson }: Pick<SidebarProps, 'people' | 'user' | 'onPerson'>): ReactNode {
  const choosable = people.filter((person) => person.is_bot !== true && person.deleted !== true);
  return (
    <div className="nav-group">
      <h2>You are</h2>
      {choosable.map((person) => (
        <button
          key={person.id}
          type="button"
          className={`nav-item person ${person.id === user ? 'active' : ''}`}
          data-testid={`person-${person.id}`}
          aria-pressed={person.id === user}
          onClick={() => {
            onPerson(person.id);
          }}
        >
          <Avatar name={person.real_name} isBot={false} />
          {person.real_name}
          {statusOf(person) !== '' && <small className="person-status">{statusOf(person)}</small>}
        </button>
      ))}
    </div>
  );
}

/** What Slack shows beside a name: those who belong here only in part. */
function statusOf(person: SlackPerson): string {
  if (person.team_id !== undefined && person.team_id !== TEAM_ID) return 'other workspace';
  return person.is_restricted === true || person.is_ultra_restricted === true ? 'guest' : '';
}

/** What stands beside the workspace: things that the bot looks after, live. */
export function SideItems({ items, act }: { items: SidePanelItem[]; act: Act }): ReactNode {
  if (items.length === 0) return null;
  return (
    <aside className="side-panel">
      <h2>Servers to try things on</h2>
      {items.map((item) => (
        <section
          key={item.id}
          className={`side-item ${item.healthy ? 'healthy' : 'broken'}`}
          data-testid={`side-item-${item.id}`}
          data-healthy={item.healthy}
        >
          <h3>
            <span className="dot" /> {item.title}
          </h3>
          {item.lines.map((line, index) => (
            <p key={index}>{line}</p>
          ))}
          {item.buttons.map((button) => (
            <button
              key={button.verb}
              type="button"
              className="slack-button"
              data-verb={button.verb}
              onClick={() => void act({ kind: 'side', id: item.id, verb: button.verb })}
            >
              {button.label}
            </button>
          ))}
        </section>
      ))}
    </aside>
  );
}
