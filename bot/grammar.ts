import { parseDurationMs } from '../domain/duration.ts';
import { InvalidInputError } from '../domain/errors.ts';
import { suggestNearest } from '../domain/nearest-word.ts';
import { readSlackMarks } from './slack-marks.ts';

/*
 * What people type behind /remediate:
 *
 *   (nothing)                                              opens the form
 *   VERB [words …] [reason="…"]
 *   PLAYBOOK SERVER [key=value …] [reason="…"]             words and pairs in any order
 *
 * Words are split at spaces; straight or curly quotes hold spaces together. `_` and `-` are the same in a verb, a
 * playbook and a parameter. A verb wins over a playbook of the same name. What Slack makes of people, channels and
 * addresses is read as it was typed (slack-marks.ts).
 */

/** How a verb is used is its grammar: see `readUsage`. */
export interface VerbRule {
  /** `pause SERVER [for 2h] [REASON]`: `[x]` may be left out. */
  usage: string;
  does: string;
}
export type Verbs<V extends string = string> = Readonly<Record<V, VerbRule>>;

export interface TypedVerb<V extends string = string> {
  kind: 'verb';
  verb: V;
  /** An id or a server, as the usage has it. */
  word: string | undefined;
  reason: string | undefined;
  /** From `for 2h`; always more than nothing. */
  durationMs: number | undefined;
  /** From `tag=web`: those that its usage names. */
  named?: Readonly<Record<string, string>> | undefined;
}

export type Typed<V extends string = string> =
  | { kind: 'form' }
  | TypedVerb<V>
  | { kind: 'request'; playbook: string; server: string; params: Record<string, string>; reason: string | undefined };

const MAX_CHARS = 4_000;

/** Throws InvalidInputError with a sentence for the person who typed. */
export function parseCommand<V extends string>(
  text: string,
  known: { verbs: Verbs<V>; playbooks: readonly string[] },
): Typed<V> {
  if (text.length > MAX_CHARS) throw refuse('too_long', `That is too long: at most ${MAX_CHARS} characters.`);
  const { words, pairs } = sortTokens(splitTokens(readSlackMarks(text)));
  const [first, ...rest] = words;
  if (first === undefined) {
    if (pairs.length === 0) return { kind: 'form' };
    throw refuse('missing_playbook', 'Say what to run: PLAYBOOK SERVER key=value. `help` shows an example.');
  }
  const { reason, params } = readPairs(pairs);
  const verb = canonical(first);
  if (isVerb(verb, known.verbs)) {
    return { kind: 'verb', verb, ...readVerb(verb, { ...known.verbs[verb], words: rest, params, reason }) };
  }
  return { kind: 'request', ...readPlace(words, known), params, reason };
}

/** What and where, in either order. */
function readPlace(
  words: readonly string[],
  { verbs, playbooks }: { verbs: Verbs; playbooks: readonly string[] },
): { playbook: string; server: string } {
  const [first = '', second = '', extra] = words;
  const isTurned = !playbooks.includes(canonical(first)) && playbooks.includes(canonical(second));
  const [what, server] = isTurned ? [second, first] : [first, second];
  const playbook = canonical(what);
  if (!playbooks.includes(playbook)) {
    const known = [...Object.keys(verbs), ...playbooks];
    const hint = suggestNearest(playbook, known) || suggestNearest(canonical(server), known);
    throw refuse(
      'unknown_word',
      `I know no playbook and no command ${quote(what)}.${hint || ' `help` lists what there is.'}`,
    );
  }
  if (server === '') throw refuse('missing_server', `Say where: ${playbook} SERVER key=value.`);
  if (extra === undefined) return { playbook, server };
  const help = 'parameters are key=value, without spaces around the "=", and quotes hold spaces.';
  throw refuse('extra_word', `I do not know what ${quote(extra)} is: ${help}`);
}

/** What may follow a verb, by its usage. */
function readUsage(usage: string): {
  word: 'none' | 'optional' | 'required';
  isRestReason: boolean;
  isTimed: boolean;
  names: string[];
} {
  const [, opening] = /^\S+ (\[?)(?:ID|SERVER)\b/.exec(usage) ?? [];
  const optional = opening === '[' ? 'optional' : 'required';
  return {
    word: opening === undefined ? 'none' : optional,
    isRestReason: /\b(?:REASON|COMMENT)\b/.test(usage),
    isTimed: usage.includes('[for '),
    names: [...usage.matchAll(/([a-z]+)=/g)].map(([, name = '']) => name),
  };
}

function readVerb(
  verb: string,
  typed: { usage: string; words: string[]; params: Record<string, string>; reason: string | undefined },
): Omit<TypedVerb, 'kind' | 'verb'> {
  const { usage } = typed;
  const rule = readUsage(usage);
  const { for: typedFor, ...strayParams } = typed.params;
  const isNamed = (key: string): boolean => rule.names.includes(key);
  const [stray] = Object.keys(rule.isTimed ? strayParams : typed.params).filter((key) => !isNamed(key));
  if (stray !== undefined) {
    const known = [...(rule.isTimed ? ['reason', 'for'] : ['reason']), ...rule.names];
    throw refuse('unknown_param', `${verb} knows no ${quote(stray)}.${suggestNearest(stray, known)} It is: ${usage}.`);
  }
  const { words, durationMs } = rule.isTimed
    ? takeDuration(typed.words, typedFor)
    : { words: typed.words, durationMs: undefined };
  const [word, ...rest] = rule.word === 'none' ? [undefined, ...words] : words;
  if (words.includes('')) throw refuse('no_targets', `An empty word names nothing, and never all. It is: ${usage}.`);
  if (rule.word === 'required' && word === undefined) throw refuse('missing_word', `It is: ${usage}.`);
  const isRestReason = rule.isRestReason && typed.reason === undefined && rest.length > 0;
  const [tooMany] = rest;
  if (tooMany !== undefined && !isRestReason) {
    throw refuse('extra_word', `I do not know what ${quote(tooMany)} is. It is: ${usage}.`);
  }
  const named = Object.fromEntries(Object.entries(strayParams).filter(([key]) => isNamed(key)));
  return {
    word,
    reason: isRestReason ? rest.join(' ') : typed.reason,
    durationMs,
    ...(rule.names.length === 0 ? {} : { named }),
  };
}

/**
 * Takes `for 2h` or `for 2 hours` out of the words, where it stands beside the server or at the very end: within a
 * reason, `for` is a word like any other.
 */
function takeDuration(
  words: readonly string[],
  typedFor: string | undefined,
): { words: readonly string[]; durationMs: number | undefined } {
  if (typedFor !== undefined) return { words, durationMs: readDuration(typedFor) };
  for (const [at, word] of words.entries()) {
    if (word.toLowerCase() !== 'for') continue;
    const isBesideServer = at <= 1;
    for (const count of [2, 1]) {
      const said = words.slice(at + 1, at + 1 + count);
      const durationMs = said.length === count ? toDurationMs(said.join('')) : undefined;
      const rest = [...words.slice(0, at), ...words.slice(at + 1 + count)];
      const isAtEnd = at + 1 + count === words.length;
      if (durationMs !== undefined && (isBesideServer || isAtEnd)) return { words: rest, durationMs };
    }
    const next = words[at + 1] ?? '';
    if (isBesideServer && /^[-+]?\d/.test(next)) readDuration(next);
  }
  return { words, durationMs: undefined };
}

function readDuration(text: string): number {
  const durationMs = toDurationMs(text.replaceAll(' ', ''));
  if (durationMs !== undefined) return durationMs;
  throw refuse('invalid_duration', `I do not know how long ${quote(text)} is: write 30m, 2h, 1h30m or 1d.`);
}

const UNITS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['minute', 'minutes', 'min', 'mins'].map((word) => [word, 'm'])),
  ...Object.fromEntries(['hour', 'hours', 'hr', 'hrs'].map((word) => [word, 'h'])),
  ...Object.fromEntries(['day', 'days'].map((word) => [word, 'd'])),
};

/** `2h`, `1h30m`, `2hours`; undefined for anything else, and for no time at all. */
function toDurationMs(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d+)([a-z]+)$/i.exec(text) ?? [];
  const short = Object.hasOwn(UNITS, unit.toLowerCase()) ? `${count}${UNITS[unit.toLowerCase()] ?? ''}` : text;
  return parseDurationMs(short.toLowerCase()) || undefined;
}

interface Token {
  text: string;
  /** Where the first `=` outside quotes stands; -1 where there is none. */
  equalsAt: number;
}

/** Phones write curly quotes. */
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

/** As verbs and playbooks are written; `_` and `-` are the same. */
function canonical(word: string): string {
  return word.toLowerCase().replaceAll('_', '-');
}

function isVerb<V extends string>(name: string, verbs: Verbs<V>): name is V {
  return Object.hasOwn(verbs, name);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function refuse(code: string, sentence: string): InvalidInputError {
  return new InvalidInputError(sentence, { code });
}
