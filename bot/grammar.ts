import { InvalidInputError } from '../domain/errors.ts';
import { suggestNearest } from '../domain/nearest-word.ts';

/*
 * What people type behind /remediate:
 *
 *   (nothing)                                              opens the form
 *   VERB [words …] [reason="…"]
 *   PLAYBOOK SERVER [key=value …] [reason="…"]             words and pairs in any order
 *
 * Words are split at spaces; straight or curly quotes hold spaces together. `_` and `-` are the same in a verb, a
 * playbook and a parameter. A verb wins over a playbook of the same name.
 */

/** Each verb, with how it is used; `[x]` may be left out. */
export const VERBS = {
  help: { usage: 'help', does: 'shows this' },
  pending: { usage: 'pending', does: 'lists what waits for approval' },
  show: { usage: 'show ID', does: 'tells all about one action' },
  history: { usage: 'history [SERVER]', does: 'lists the latest actions' },
  servers: { usage: 'servers', does: 'lists the servers' },
  pause: { usage: 'pause SERVER [reason="…"]', does: 'from now on everything there waits for approval' },
  unpause: { usage: 'unpause SERVER', does: 'ends that' },
  approve: { usage: 'approve ID', does: 'approves what somebody else asked for' },
  reject: { usage: 'reject ID reason="…"', does: 'rejects it' },
  cancel: { usage: 'cancel ID [reason="…"]', does: 'cancels it, or withdraws your own request' },
} as const;
export type Verb = keyof typeof VERBS;

export type Typed =
  | { kind: 'form' }
  | { kind: 'verb'; verb: Verb; word: string | undefined; reason: string | undefined }
  | { kind: 'request'; playbook: string; server: string; params: Record<string, string>; reason: string | undefined };

const MAX_CHARS = 4_000;
const WORD_OF: Readonly<Record<Verb, 'none' | 'optional' | 'required'>> = {
  help: 'none',
  pending: 'none',
  servers: 'none',
  history: 'optional',
  show: 'required',
  pause: 'required',
  unpause: 'required',
  approve: 'required',
  reject: 'required',
  cancel: 'required',
};

/** Throws InvalidInputError with a sentence for the person who typed. */
export function parseCommand(text: string, playbooks: readonly string[]): Typed {
  if (text.length > MAX_CHARS) throw refuse('too_long', `That is too long: at most ${MAX_CHARS} characters.`);
  const { words, pairs } = sortTokens(splitTokens(decode(text)));
  const [first, ...rest] = words;
  if (first === undefined) {
    if (pairs.length === 0) return { kind: 'form' };
    throw refuse('missing_playbook', 'Say what to run: PLAYBOOK SERVER key=value. `help` shows an example.');
  }
  const { reason, params } = readPairs(pairs);
  const name = first.toLowerCase().replaceAll('_', '-');
  if (isVerb(name)) return readVerb(name, { words: rest, params, reason });
  if (!playbooks.includes(name)) {
    const hint = suggestNearest(name, [...Object.keys(VERBS), ...playbooks]) || ' `help` lists what there is.';
    throw refuse('unknown_word', `I know no playbook and no command ${quote(first)}.${hint}`);
  }
  const [server, extra] = rest;
  if (server === undefined) throw refuse('missing_server', `Say where: ${name} SERVER key=value.`);
  if (extra !== undefined) {
    throw refuse(
      'extra_word',
      `I do not know what ${quote(extra)} is: parameters are key=value, and quotes hold spaces.`,
    );
  }
  return { kind: 'request', playbook: name, server, params, reason };
}

/** `key=value …` alone, as the form has it. Throws InvalidInputError. */
export function parsePairs(text: string): Record<string, string> {
  const { words, pairs } = sortTokens(splitTokens(text.slice(0, MAX_CHARS)));
  const [stray] = words;
  if (stray !== undefined) throw refuse('malformed_pair', `${quote(stray)} is not key=value, like service=nginx.`);
  return Object.fromEntries(uniquePairs(pairs));
}

function readVerb(
  verb: Verb,
  rest: { words: string[]; params: Record<string, string>; reason: string | undefined },
): Typed {
  const { usage } = VERBS[verb];
  const [word, extra] = rest.words;
  const [stray] = Object.keys(rest.params);
  if (stray !== undefined) {
    throw refuse(
      'unknown_param',
      `${verb} knows no ${quote(stray)}.${suggestNearest(stray, ['reason'])} It is: ${usage}.`,
    );
  }
  if (WORD_OF[verb] === 'required' && word === undefined) throw refuse('missing_word', `It is: ${usage}.`);
  const tooMany = WORD_OF[verb] === 'none' ? word : extra;
  if (tooMany !== undefined) throw refuse('extra_word', `I do not know what ${quote(tooMany)} is. It is: ${usage}.`);
  return { kind: 'verb', verb, word, reason: rest.reason };
}

interface Token {
  text: string;
  /** Where the first `=` outside quotes stands; -1 where there is none. */
  equalsAt: number;
}

/** Slack sends `& < >` escaped; phones write curly quotes. */
function decode(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

const CLOSING: Readonly<Record<string, string>> = {
  '"': '"“”„«»',
  '“': '"“”',
  '”': '"“”',
  '„': '"“”',
  '«': '»',
  '»': '«',
  "'": "'‘’",
  '‘': "'‘’",
  '’': "'‘’",
};

/** A quote opens only at the start of a word or of a value: the apostrophe in `don’t` is a letter. */
function splitTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let token: Token | null = null;
  let closing: string | null = null;
  for (const character of text) {
    if (closing !== null) {
      if (closing.includes(character)) closing = null;
      else if (token !== null) token.text += character;
    } else if (/\s/.test(character)) {
      if (token !== null) tokens.push(token);
      token = null;
    } else {
      token ??= { text: '', equalsAt: -1 };
      const isAtStart = token.text === '' || token.equalsAt === token.text.length - 1;
      const opened = isAtStart ? CLOSING[character] : undefined;
      if (opened !== undefined) closing = opened;
      else {
        if (character === '=' && token.equalsAt < 0) token.equalsAt = token.text.length;
        token.text += character;
      }
    }
  }
  if (closing !== null) throw refuse('open_quote', 'A quote is opened and not closed.');
  return token === null ? tokens : [...tokens, token];
}

type Pair = readonly [key: string, value: string];

function sortTokens(tokens: readonly Token[]): { words: string[]; pairs: Pair[] } {
  const words = tokens.filter(({ equalsAt }) => equalsAt < 0).map(({ text }) => text);
  const pairs = tokens
    .filter(({ equalsAt }) => equalsAt >= 0)
    .map(({ text, equalsAt }): Pair => [text.slice(0, equalsAt), text.slice(equalsAt + 1)]);
  const nameless = pairs.find(([key]) => key === '');
  if (nameless !== undefined) throw refuse('malformed_pair', `${quote(`=${nameless[1]}`)} has no name before the "=".`);
  return { words, pairs };
}

function uniquePairs(pairs: readonly Pair[]): readonly Pair[] {
  const seen = new Set<string>();
  for (const [key] of pairs) {
    const name = key.replaceAll('_', '-');
    if (seen.has(name)) throw refuse('duplicate_param', `${quote(key)} stands there twice.`);
    seen.add(name);
  }
  return pairs;
}

function readPairs(pairs: readonly Pair[]): { reason: string | undefined; params: Record<string, string> } {
  const { reason, ...params } = Object.fromEntries(uniquePairs(pairs));
  return { reason, params };
}

function isVerb(name: string): name is Verb {
  return Object.hasOwn(VERBS, name);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function refuse(code: string, sentence: string): InvalidInputError {
  return new InvalidInputError(sentence, { code });
}
