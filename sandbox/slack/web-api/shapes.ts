import { APP_ID, BOT_ID, TEAM_ID } from '../model.ts';
import type { Json, SlackChannel, SlackPerson, SlackUsergroup, StoredMessage, StoredView } from '../model.ts';

/** A message as the API and payloads carry it. */
export function showMessage(message: StoredMessage, withMetadata: boolean): Json {
  return {
    type: 'message',
    user: message.user,
    ts: message.ts,
    text: message.text,
    team: TEAM_ID,
    ...(message.bot_id === undefined ? {} : { bot_id: message.bot_id, app_id: APP_ID }),
    ...(message.blocks === undefined ? {} : { blocks: message.blocks }),
    ...(message.thread_ts === undefined ? {} : { thread_ts: message.thread_ts }),
    ...(message.files === undefined ? {} : { files: message.files, subtype: 'file_share' }),
    ...(message.edited === undefined ? {} : { edited: message.edited }),
    ...(withMetadata && message.metadata !== undefined ? { metadata: message.metadata } : {}),
  };
}

export function showView(view: StoredView): Json {
  const { user: _user, values, ...rest } = view;
  return {
    ...rest,
    team_id: TEAM_ID,
    app_id: APP_ID,
    bot_id: BOT_ID,
    app_installed_team_id: TEAM_ID,
    state: { values },
  };
}

export function showPerson(person: SlackPerson): Json {
  return {
    id: person.id,
    team_id: person.team_id ?? TEAM_ID,
    name: person.name,
    real_name: person.real_name,
    deleted: person.deleted ?? false,
    is_bot: person.is_bot ?? false,
    // A guest of one channel is a guest too.
    is_restricted: person.is_restricted ?? person.is_ultra_restricted ?? false,
    is_ultra_restricted: person.is_ultra_restricted ?? false,
    is_app_user: false,
    is_stranger: person.team_id !== undefined && person.team_id !== TEAM_ID,
    tz: person.tz ?? 'Etc/UTC',
    tz_offset: 0,
    profile: { real_name: person.real_name, display_name: person.name, team: person.team_id ?? TEAM_ID },
  };
}

export function showChannel(channel: SlackChannel): Json {
  if (channel.im_user !== undefined) return { id: channel.id, is_im: true, user: channel.im_user, is_channel: false };
  return {
    id: channel.id,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: true,
    is_group: false,
    is_im: false,
    is_private: false,
    is_archived: channel.is_archived ?? false,
    is_member: channel.is_member ?? true,
  };
}

export function showUsergroup(group: SlackUsergroup, withUsers: boolean): Json {
  return {
    id: group.id,
    team_id: TEAM_ID,
    is_usergroup: true,
    name: group.handle,
    handle: group.handle,
    is_external: false,
    date_delete: group.isDisabled === true ? 1 : 0,
    user_count: group.users.length,
    ...(withUsers ? { users: group.users } : {}),
  };
}
