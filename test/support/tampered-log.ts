import type { ChainCheckpoint, ChainFault } from '../../protocol/audit-chain.ts';
import { CHAIN_START, hashEvent, toCanonicalJson } from '../../protocol/audit-chain.ts';

type Event = Record<string, unknown>;

export interface Log {
  events: readonly Event[];
  lines: readonly string[];
  /** The place before each event, and after the last: all that the untouched lines before a fault come to. */
  places: readonly ChainCheckpoint[];
}

/** As many events as the control plane writes them. */
export function createLog(count: number): Log {
  const events: Event[] = [];
  const places: ChainCheckpoint[] = [{ count: 0, head: CHAIN_START }];
  for (let seq = 1; seq <= count; seq++) {
    const event = link(describeEvent(seq), places.at(-1)?.head ?? CHAIN_START);
    events.push(event);
    places.push({ count: seq, head: String(event['hash']) });
  }
  return { events, lines: events.map(toCanonicalJson), places };
}

function describeEvent(seq: number): Event {
  return {
    seq,
    at: new Date(Date.parse('2026-01-01T00:00:00.000Z') + seq * 1000).toISOString(),
    actor: seq % 3 === 0 ? 'bob' : 'ana',
    via: 'slack',
    event: seq % 2 === 0 ? 'action.approved' : 'action.requested',
    subject: { type: 'action', id: `a-${String(seq)}` },
    data: { reason: `because of "${String(seq)}"`, params: { service: 'nginx' }, tries: [seq, seq + 1] },
  };
}

function link(content: Event, prev: string): Event {
  const event = { ...content, prev };
  return { ...event, hash: hashEvent(event) };
}

/** What stands in the log from the place `from` on, and the first wrong line (counted from 1) as it must be told. */
export interface Tampered {
  from: number;
  lines: Iterable<string>;
  expected: { line: number; code: ChainFault };
}

/** At which events there are checkpoints decides where a rewritten log is found out. */
export interface Scene {
  log: Log;
  at: number;
  checkpoints: readonly ChainCheckpoint[];
}

/** `at` is the place of an event, from 0. */
export const TAMPERINGS: Readonly<Record<string, (scene: Scene) => Tampered>> = {
  edit: (scene) => {
    const { edit, code } = EDITS[scene.at % EDITS.length] ?? REHASHED;
    const line = edit(scene.log.lines[scene.at] ?? '');
    return { from: scene.at, lines: [line, ...rest(scene, 1)], expected: code(scene) };
  },
  delete: (scene) => ({
    from: scene.at,
    lines: rest(scene, 1),
    expected: here(isLast(scene) ? 'shorter_than_checkpoint' : 'gap')(scene),
  }),
  insert: (scene) => {
    const { log, at } = scene;
    const forged = link({ ...log.events[at], actor: 'eve' }, log.places[at]?.head ?? ''); // it fits what stands before it
    return { from: at, lines: [toCanonicalJson(forged), ...rest(scene, 0)], expected: hereOrNext('gap')(scene) };
  },
  swap: (scene) => {
    const from = Math.min(scene.at, scene.log.lines.length - 2);
    const [first = '', second = '', ...others] = scene.log.lines.slice(from);
    return { from, lines: [second, first, ...others], expected: { line: from + 1, code: 'gap' } };
  },
  truncate: (scene) => ({ from: scene.at, lines: [], expected: here('shorter_than_checkpoint')(scene) }),
  rewrite: (scene) => {
    const line = scene.checkpoints.find(({ count }) => count > scene.at)?.count ?? NaN;
    return { from: scene.at, lines: rewrite(scene), expected: { line, code: 'differs_from_checkpoint' } };
  },
};

type Expected = (scene: Scene) => Tampered['expected'];

const here =
  (code: ChainFault): Expected =>
  ({ at }) => ({ line: at + 1, code });

/** Where its own hash is right: at a checkpoint right there, else at the line after it. */
const hereOrNext =
  (code: ChainFault): Expected =>
  ({ at, checkpoints }) =>
    checkpoints.some(({ count }) => count === at + 1)
      ? { line: at + 1, code: 'differs_from_checkpoint' }
      : { line: at + 2, code };

/** Changes the text of a line; `code` says what it must be told as. */
interface Edit {
  edit(line: string): string;
  code: Expected;
}

const replace =
  (what: RegExp, by: string): Edit['edit'] =>
  (line) =>
    line.replace(what, by);

const REHASHED: Edit = {
  edit: (line) => {
    const event = { ...(JSON.parse(line) as Event), actor: 'eve' };
    return JSON.stringify({ ...event, hash: hashEvent(event) });
  },
  code: hereOrNext('broken_link'),
};

/** All that a line says, and ways to say two things at once. */
const EDITS: readonly Edit[] = [
  REHASHED,
  { edit: replace(/"actor":"\w+"/, '"actor":"eve"'), code: here('changed') },
  { edit: replace(/"at":"2026/, '"at":"2025'), code: here('changed') },
  { edit: replace(/"via":"slack"/, '"via":"api"'), code: here('changed') },
  { edit: replace(/"event":"action\.\w+"/, '"event":"action.rejected"'), code: here('changed') },
  { edit: replace(/"id":"a-/, '"id":"b-'), code: here('changed') },
  { edit: replace(/"service":"nginx"/, '"service":"sshd"'), code: here('changed') },
  { edit: replace(/"tries":\[(\d+)/, '"tries":["$1"'), code: here('changed') },
  { edit: replace(/"via":"slack",?/, ''), code: here('not_json') },
  { edit: replace(/"actor":"\w+",/, ''), code: here('changed') },
  { edit: replace(/^\{/, '{"zusatz":null,'), code: here('changed') },
  { edit: replace(/^\{/, '{"__proto__":{"actor":"eve"},'), code: here('changed') },
  { edit: replace(/"tries":\[\d+/, '"tries":[1e999'), code: here('changed') },
  { edit: replace(/because/, '\\ud800'), code: here('changed') },
  { edit: replace(/"seq":/, '"seq":1'), code: here('gap') },
  { edit: replace(/"seq":(\d+)/, '"seq":"$1"'), code: here('gap') },
  { edit: replace(/"prev":"sha256:./, '"prev":"sha256:x'), code: here('broken_link') },
  { edit: replace(/"hash":"sha256:./, '"hash":"sha256:x'), code: here('changed') },
  { edit: replace(/"hash":"sha256:\w+",/, ''), code: here('changed') },
  { edit: replace(/^\{/, '{"actor":"eve",'), code: here('ambiguous') },
  { edit: replace(/"params":\{/, '"params":{"service":"sshd",'), code: here('ambiguous') },
  { edit: replace(/^\{/, '{"\\u0061ctor" : "eve",'), code: here('ambiguous') },
  { edit: (line) => line.slice(0, -1), code: here('not_json') },
  { edit: (line) => `[${line}]`, code: here('not_json') },
];

const isLast = ({ log, at }: Scene): boolean => at === log.lines.length - 1;

const rest = ({ log, at }: Scene, skipped: number): readonly string[] => log.lines.slice(at + skipped);

/** Somebody else did it, and every hash from there on is right. Made while it is read, as nobody reads it all. */
function* rewrite({ log, at }: Scene): Generator<string> {
  let prev = log.places[at]?.head ?? '';
  for (const event of log.events.slice(at)) {
    const made = link(prev === log.places[at]?.head ? { ...event, actor: 'eve' } : event, prev);
    prev = String(made['hash']);
    yield JSON.stringify(made);
  }
}
