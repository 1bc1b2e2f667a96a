import { parsePattern } from './pattern-syntax.ts';
import type { PatternNode } from './pattern-syntax.ts';

/**
 * Patterns are matched by an automaton that reads each character once, never by a backtracking engine: whatever
 * the pattern (`(a+)+`), the time is bounded by states × length. The meaning is that of a JavaScript regular
 * expression with the `u` flag over the whole value, without lookaround and back references.
 */
export type Matcher = (value: string) => boolean;

const MAX_STATES = 2000; // × 1,024 characters, the longest value: some milliseconds at worst

type Edge =
  | { kind: 'free'; to: number }
  | { kind: 'start'; to: number }
  | { kind: 'end'; to: number }
  | { kind: 'character'; to: number; test: RegExp };

/** The matcher of a pattern, or what is wrong with it as the rest of a sentence. */
export function compilePattern(pattern: string): { matches: Matcher } | { fault: string } {
  try {
    new RegExp(pattern, 'u');
  } catch (error) {
    return { fault: `is no valid regular expression (${error instanceof Error ? error.message : String(error)})` };
  }
  const parsed = parsePattern(pattern);
  if ('fault' in parsed) return parsed;
  const states: Edge[][] = [[], []];
  if (!connect({ states, node: parsed.node, from: 0, to: 1 })) {
    return { fault: `is too large: its repetitions unfold to more than ${MAX_STATES} states` };
  }
  return { matches: (value) => run(states, [...value]) };
}

/** Adds the edges that lead over `node`; false where the automaton grows too large. */
function connect(input: { states: Edge[][]; node: PatternNode; from: number; to: number }): boolean {
  const { states, node, from, to } = input;
  switch (node.kind) {
    case 'character':
      return addEdge(states, from, { kind: 'character', to, test: new RegExp(`^(?:${node.source})$`, 'u') });
    case 'start':
    case 'end':
      return addEdge(states, from, { kind: node.kind, to });
    case 'choice':
      return node.options.every((option) => connect({ states, node: option, from, to }));
    case 'sequence':
      return connectInTurn({ states, nodes: node.items, from, to });
    case 'repeat':
      return connectRepeat({ states, node, from, to });
  }
}

function connectInTurn(input: { states: Edge[][]; nodes: readonly PatternNode[]; from: number; to: number }): boolean {
  const { states, nodes, to } = input;
  let at = input.from;
  for (const node of nodes) {
    const next = addState(states);
    if (!connect({ states, node, from: at, to: next })) return false;
    at = next;
  }
  return addEdge(states, at, { kind: 'free', to });
}

function connectRepeat(input: {
  states: Edge[][];
  node: Extract<PatternNode, { kind: 'repeat' }>;
  from: number;
  to: number;
}): boolean {
  const { states, node, from, to } = input;
  let at = from;
  const copies = node.max === Infinity ? node.min : node.max;
  for (let count = 0; count < copies; count++) {
    if (count >= node.min) addEdge(states, at, { kind: 'free', to });
    const next = addState(states);
    if (!connect({ states, node: node.item, from: at, to: next })) return false;
    at = next;
  }
  if (node.max === Infinity) {
    const loop = addState(states);
    addEdge(states, at, { kind: 'free', to: loop });
    if (!connect({ states, node: node.item, from: loop, to: loop })) return false;
    at = loop;
  }
  return addEdge(states, at, { kind: 'free', to });
}

function addState(states: Edge[][]): number {
  return states.push([]) - 1;
}

function addEdge(states: Edge[][], from: number, edge: Edge): boolean {
  states[from]?.push(edge);
  return states.length <= MAX_STATES;
}

function run(states: readonly Edge[][], characters: readonly string[]): boolean {
  let present = follow(states, new Set([0]), { isStart: true, isEnd: characters.length === 0 });
  for (const [index, character] of characters.entries()) {
    const next = new Set<number>();
    const known = new Map<RegExp, boolean>();
    for (const state of present) {
      for (const edge of states[state] ?? []) {
        if (edge.kind !== 'character') continue;
        const isHit = known.get(edge.test) ?? edge.test.test(character);
        known.set(edge.test, isHit);
        if (isHit) next.add(edge.to);
      }
    }
    if (next.size === 0) return false;
    present = follow(states, next, { isStart: false, isEnd: index === characters.length - 1 });
  }
  return present.has(1);
}

/** All states that can be reached without reading a character. */
function follow(
  states: readonly Edge[][],
  from: Set<number>,
  where: { isStart: boolean; isEnd: boolean },
): Set<number> {
  const reached = new Set(from);
  for (const state of reached) {
    for (const edge of states[state] ?? []) {
      const isOpen =
        edge.kind === 'free' || (edge.kind === 'start' && where.isStart) || (edge.kind === 'end' && where.isEnd);
      if (isOpen) reached.add(edge.to); // a Set yields what is added while it is walked
    }
  }
  return reached;
}
