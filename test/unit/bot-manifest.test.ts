import { describe, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { BUTTONS, FORMS, SHORTCUTS } from '../../bot/blocks/names.ts';
import { COMMANDS } from '../../bot/listeners/commands/index.ts';
import { CLICKS } from '../../bot/listeners/actions/index.ts';
import { judgeManifest } from '../../sandbox/slack/app-manifest.ts';
import { createManifest, EVENTS, METHODS, OPTIONAL_SCOPES, SCOPES } from '../../bot/manifest.ts';

const BOT = new URL('../../bot/', import.meta.url);
const NO_VERBS = ['command.ts', 'index.ts', 'open-form.ts'];

async function readSources(folder = ''): Promise<string[]> {
  const entries = await readdir(new URL(folder, BOT), { recursive: true });
  const files = entries.filter((name) => name.endsWith('.ts') && name !== 'manifest.ts');
  return Promise.all(files.map((name) => readFile(new URL(`${folder}${name}`, BOT), 'utf8')));
}

function matchesOf(sources: readonly string[], pattern: RegExp): string[] {
  return [...new Set(sources.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] ?? '')))].toSorted();
}

describe('the manifest', () => {
  test('names every Web API method that the code calls, and no other', async () => {
    const called = matchesOf(
      await readSources(),
      /client\s*\.((?:auth|chat|conversations|views|users|usergroups|files|team|apps|bots|reactions|pins)(?:\.\w+)+)\(/g,
    );
    expect(called).toEqual(Object.keys(METHODS).toSorted());
  });

  test('grants a scope to every method', () => {
    const granted: readonly string[] = [...SCOPES, ...OPTIONAL_SCOPES];
    const without = Object.entries(METHODS).filter(
      ([, scopes]) => scopes.length > 0 && !scopes.some((scope) => granted.includes(scope)),
    );
    expect(without).toEqual([]);
  });

  test('subscribes to every event that the code listens to', async () => {
    expect(matchesOf(await readSources('listeners/'), /app\.event\('(\w+)'/g)).toEqual([...EVENTS]);
  });

  test('knows every verb: a listener file, a line in the index and a word in the hint, none without the others', async () => {
    const files = (await readdir(new URL('listeners/commands/', BOT))).filter((name) => !NO_VERBS.includes(name));
    const verbs = Object.keys(COMMANDS).toSorted();
    expect(files.map((name) => name.replace('.ts', '')).toSorted()).toEqual(verbs);
    const { slash_commands: commands } = createManifest({ mode: 'socket' })['features'] as {
      slash_commands: { usage_hint: string }[];
    };
    const [, hint = ''] = commands[0]?.usage_hint.split(' | ') ?? [];
    expect(hint.split(', ').toSorted()).toEqual(verbs);
    for (const [verb, { usage }] of Object.entries(COMMANDS)) expect(usage.split(' ')[0]).toBe(verb);
  });

  test('has a listener for every button and form', async () => {
    expect(Object.keys(CLICKS).toSorted()).toEqual(Object.values(BUTTONS).toSorted());
    const heard = matchesOf(await readSources('listeners/views/'), /callback_id: FORMS\.(\w+)/g);
    expect(heard).toEqual(Object.keys(FORMS).toSorted());
  });

  test('has a listener for every shortcut that it names', async () => {
    const heard = matchesOf(await readSources('listeners/shortcuts/'), /SHORTCUTS\.(\w+)/g);
    expect(heard).toEqual(Object.keys(SHORTCUTS).toSorted());
    const { features } = createManifest({ mode: 'socket' }) as { features: { shortcuts: { callback_id: string }[] } };
    const named = features.shortcuts.map(({ callback_id: id }) => id);
    expect(named.toSorted()).toEqual(Object.values(SHORTCUTS).toSorted());
  });

  test('is one that Slack takes, over Socket Mode and over HTTP', () => {
    expect(judgeManifest(createManifest({ mode: 'socket' }))).toEqual([]);
    expect(judgeManifest(createManifest({ mode: 'http', url: 'https://medic.example' }))).toEqual([]);
    const { oauth_config: _none, ...without } = createManifest({ mode: 'socket' });
    expect(judgeManifest(without)).toEqual(['slash commands and shortcuts need the scope commands']);
  });

  test('needs an address for HTTP and none for Socket Mode', () => {
    const socket = JSON.stringify(createManifest({ mode: 'socket' }));
    expect(socket).toContain('"socket_mode_enabled":true');
    expect(socket).not.toContain('http');
    const http = JSON.stringify(createManifest({ mode: 'http', url: 'https://medic.example' }));
    expect(http.match(/https:\/\/medic\.example\/slack\/events/g)).toHaveLength(3);
  });
});
