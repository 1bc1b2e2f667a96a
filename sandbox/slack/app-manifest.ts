import { isJson, listOf, textOf } from './model.ts';
import type { Json, SlackShortcut } from './model.ts';

/** What Slack knows of an app that was made from a manifest. */
export interface InstalledApp {
  commands: ReadonlySet<string>;
  shortcuts: readonly SlackShortcut[];
  events: ReadonlySet<string>;
  scopes: readonly string[];
  isHomeEnabled: boolean;
}

const LIMITS = { name: 35, description: 140, displayName: 80, command: 32, hint: 1000, shortcut: 24, callback: 255 };
const TOP_KEYS = ['_metadata', 'display_information', 'features', 'oauth_config', 'settings', 'functions'];
const FEATURES = ['app_home', 'bot_user', 'slash_commands', 'shortcuts', 'unfurl_domains', 'assistant_view'];

/** What Slack would say to a manifest; empty when it takes it. https://docs.slack.dev/reference/app-manifest */
export function judgeManifest(manifest: unknown): string[] {
  if (!isJson(manifest)) return ['the manifest must be an object'];
  const features = objectOf(manifest['features']);
  return [
    ...unknownKeys(manifest, TOP_KEYS, ''),
    ...unknownKeys(features, FEATURES, 'features.'),
    ...judgeDisplay(objectOf(manifest['display_information'])),
    ...listOf(features['slash_commands']).flatMap(judgeCommand),
    ...listOf(features['shortcuts']).flatMap(judgeShortcut),
    ...judgeTogether(manifest),
  ];
}

/** Throws with every mistake where Slack would refuse it. */
export function readManifest(manifest: Json): InstalledApp {
  const mistakes = judgeManifest(manifest);
  if (mistakes.length > 0) throw new Error(`Slack would refuse this manifest: ${mistakes.join('; ')}`);
  const features = objectOf(manifest['features']);
  const subscriptions = objectOf(objectOf(manifest['settings'])['event_subscriptions']);
  return {
    commands: new Set(listOf(features['slash_commands']).map((one) => textOf(one['command']))),
    shortcuts: listOf(features['shortcuts']).map(shortcutOf),
    events: new Set(stringsOf(subscriptions['bot_events'])),
    scopes: scopesOf(manifest),
    isHomeEnabled: objectOf(features['app_home'])['home_tab_enabled'] === true,
  };
}

function shortcutOf(one: Json): SlackShortcut {
  return {
    type: one['type'] === 'message' ? 'message' : 'global',
    callbackId: textOf(one['callback_id']),
    name: textOf(one['name']),
    description: textOf(one['description']),
  };
}

function judgeDisplay(display: Json): string[] {
  return [
    ...judgeText(display['name'], 'display_information.name', LIMITS.name),
    ...(display['description'] === undefined
      ? []
      : judgeText(display['description'], 'display_information.description', LIMITS.description)),
    ...(display['background_color'] === undefined || /^#([0-9a-f]{3}){1,2}$/i.test(textOf(display['background_color']))
      ? []
      : ['display_information.background_color must be a hex colour']),
  ];
}

function judgeCommand(command: Json): string[] {
  const name = textOf(command['command']);
  return [
    ...judgeText(name, 'slash_commands.command', LIMITS.command),
    ...(/^\/[^\s/]+$/.test(name) ? [] : [`${name} must begin with / and hold no space`]),
    ...judgeText(command['description'], `${name}.description`, 2000),
    ...(textOf(command['usage_hint']).length > LIMITS.hint ? [`${name}.usage_hint is too long`] : []),
    ...unknownKeys(command, ['command', 'description', 'usage_hint', 'should_escape', 'url'], `${name}.`),
  ];
}

function judgeShortcut(shortcut: Json): string[] {
  const id = textOf(shortcut['callback_id']);
  return [
    ...judgeText(shortcut['name'], `shortcut ${id}.name`, LIMITS.shortcut),
    ...judgeText(shortcut['description'], `shortcut ${id}.description`, 150),
    ...judgeText(id, 'shortcut.callback_id', LIMITS.callback),
    ...(['message', 'global'].includes(textOf(shortcut['type'])) ? [] : [`shortcut ${id}.type is unknown`]),
    ...unknownKeys(shortcut, ['name', 'description', 'callback_id', 'type'], `shortcut ${id}.`),
  ];
}

/** What only holds between parts: addresses with HTTP, scopes for features, a tab for its event. */
function judgeTogether(manifest: Json): string[] {
  const features = objectOf(manifest['features']);
  const settings = objectOf(manifest['settings']);
  const interactivity = objectOf(settings['interactivity']);
  const isSocket = settings['socket_mode_enabled'] === true;
  const scopes = scopesOf(manifest);
  const optional = stringsOf(objectOf(objectOf(manifest['oauth_config'])['scopes'])['bot_optional']);
  const commands = listOf(features['slash_commands']);
  const needsCommands = commands.length + listOf(features['shortcuts']).length > 0;
  const says = (isWrong: boolean, what: string): string[] => (isWrong ? [what] : []);
  return [
    ...says(needsCommands && !scopes.includes('commands'), 'slash commands and shortcuts need the scope commands'),
    ...says(interactivity['is_enabled'] !== true, 'buttons and forms need settings.interactivity'),
    ...says(!isSocket && textOf(interactivity['request_url']) === '', 'HTTP needs interactivity.request_url'),
    ...says(!isSocket && commands.some((one) => textOf(one['url']) === ''), 'HTTP needs a url for each command'),
    ...optional.filter((scope) => !scopes.includes(scope)).map((scope) => `${scope} is optional but not asked for`),
  ];
}

function judgeText(value: unknown, where: string, max: number): string[] {
  const text = textOf(value);
  if (text === '') return [`${where} is missing`];
  return text.length > max ? [`${where} must be at most ${String(max)} characters`] : [];
}

function unknownKeys(value: Json, known: readonly string[], prefix: string): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${prefix}${key} is unknown`);
}

function scopesOf(manifest: Json): string[] {
  return stringsOf(objectOf(objectOf(manifest['oauth_config'])['scopes'])['bot']);
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function objectOf(value: unknown): Json {
  return isJson(value) ? value : {};
}
