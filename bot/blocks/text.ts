import { writeTime } from '../../domain/sentence.ts';

/** Colours and cursor moves of terminals. */
const ESCAPES = /\u001B(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-_])/g;
/** What a reader would not see, or would see elsewhere than it stands: controls, bidi, zero width, lone surrogates. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const HIDDEN_BUT_LINES = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const MAX_TEXT = 4_000; // Slack's advice for `text`, and all that chat.update takes

/** One visible line of at most `maxChars` characters, never empty. */
export function toLine(text: string, maxChars: number): string {
  const line = text.replace(ESCAPES, '').replace(/\s+/g, ' ').replace(HIDDEN, '\u{FFFD}').trim();
  return cut(line, maxChars) || '–';
}

/** Visible text that keeps its lines and tabs, never empty. */
export function toLines(text: string): string {
  const lines = text.replace(ESCAPES, '').replace(/\r\n?/g, '\n').replace(HIDDEN_BUT_LINES, '\u{FFFD}');
  return lines.trim() === '' ? '(nothing)' : lines;
}

/** At most `maxChars` UTF-16 units, no half characters, and a mark where something is missing. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return `${dropHalf(text.slice(0, Math.max(0, maxChars - 1)))}…`;
}

/** The last lines, whole where they fit. */
export function lastLines(text: string, limit: { lines: number; maxChars: number }): string {
  const all = toLines(text).replace(/\n+$/, '').split('\n');
  const tail = all.slice(-limit.lines).join('\n');
  if (tail.length <= limit.maxChars) return tail;
  return `…${tail.slice(tail.length - limit.maxChars + 1).replace(/^[\u{DC00}-\u{DFFF}]/u, '')}`;
}

/** The start and the end, with a line between that says how much is missing; unchanged where it all fits. */
export function cutMiddle(text: string, limit: { headChars: number; tailChars: number }): string {
  const left = text.length - limit.headChars - limit.tailChars;
  if (left <= 0) return text;
  const head = dropHalf(text.slice(0, limit.headChars));
  const tail = text.slice(-limit.tailChars).replace(/^[\u{DC00}-\u{DFFF}]/u, '');
  return `${head}\n… ${left} characters are left out here …\n${tail}`;
}

/** For mrkdwn and for the text of a message: nothing in it can mention or link. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The same, at most `maxChars` of what comes out. */
function escapeWithin(text: string, maxChars: number): string {
  let escaped = '';
  for (const character of text) {
    const part = escapeMrkdwn(character);
    if (escaped.length + part.length > maxChars) return escaped;
    escaped += part;
  }
  return escaped;
}

/** The `text` of a message, in lines; nothing in it can mention or link. */
export function writeText(lines: readonly string[]): string {
  return escapeWithin(lines.join('\n'), MAX_TEXT);
}

/** A time that each reader sees in their own zone; mrkdwn. */
export function showTime(at: Date): string {
  return `<!date^${Math.floor(at.getTime() / 1000)}^${TIME_FORMAT}|${showTimePlainly(at)}>`;
}

export const TIME_FORMAT = '{date_short_pretty} {time}';

/** Where Slack cannot show a time in the reader's zone. */
export function showTimePlainly(at: Date): string {
  return writeTime(at);
}

/** `3 s`, `2 min 5 s`, `1 h 4 min`, `2 h`. */
export function showDuration(ms: number): string {
  const totalS = Math.max(0, Math.round(ms / 1000));
  if (totalS < 60) return `${totalS} s`;
  if (totalS < 3600) return joinUnits([Math.floor(totalS / 60), 'min'], [totalS % 60, 's']);
  return joinUnits([Math.floor(totalS / 3600), 'h'], [Math.floor((totalS % 3600) / 60), 'min']);
}

function joinUnits([count, unit]: [number, string], [rest, smaller]: [number, string]): string {
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${smaller}`;
}

function dropHalf(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, '');
}
