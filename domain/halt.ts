/** Everything; the servers that bear a tag; one playbook, wherever it would run. All but the first is a freeze. */
export const HALT_SCOPES = ['all', 'tag', 'playbook'] as const;
export type HaltScope = (typeof HALT_SCOPES)[number];

const MAX_NAMED = 3; // in one sentence; `halts` shows all

/** What a halt covers. `value` is the tag or the playbook; null where it covers everything. */
export interface HaltReach {
  scope: HaltScope;
  value: string | null;
}

/** Whether nothing at all may start on a server with these tags. */
export function coversServer({ scope, value }: HaltReach, tags: readonly string[]): boolean {
  return scope === 'all' || (scope === 'tag' && value !== null && tags.includes(value));
}

/** The widest halt that forbids this playbook on a server with these tags; null where none does. */
export function findCovering<T extends HaltReach>(
  halts: readonly T[],
  work: { tags: readonly string[]; playbook: string },
): T | null {
  const covering = halts.filter(
    (halt) => coversServer(halt, work.tags) || (halt.scope === 'playbook' && halt.value === work.playbook),
  );
  return covering.find(({ scope }) => scope === 'all') ?? covering[0] ?? null;
}

/** People's scripts switch on it. */
export function haltCode({ scope }: Pick<HaltReach, 'scope'>): 'halted' | 'frozen' {
  return scope === 'all' ? 'halted' : 'frozen';
}

/** `Everything is halted`, `restart-service is frozen`: what stands still, as the start of a sentence. */
export function describeReach(reach: HaltReach): string {
  return `${nameReach(reach)} is ${haltCode(reach)}`;
}

export function nameReach({ scope, value }: HaltReach): string {
  switch (scope) {
    case 'all':
      return 'Everything';
    case 'tag':
      return `Everything on servers tagged ${JSON.stringify(value)}`;
    case 'playbook':
      return `The playbook ${value ?? ''}`;
  }
}

/** `Everything may start again.`, or what of it may not, as others of `standing` stop it, too. */
export function describeRelease(lifted: HaltReach, standing: readonly (HaltReach & { id: number })[]): string {
  const name = nameReach(lifted);
  const others = standing.filter((halt) => mayMeet(halt, lifted));
  if (others.length === 0) return `${name} may start again.`;
  const named = others.slice(0, MAX_NAMED).map((halt) => `${describeReach(halt)} (${halt.id})`);
  const more = others.length > named.length ? `, and ${others.length - named.length} more` : '';
  const isAll = others.some(
    ({ scope, value }) => scope === 'all' || (scope === lifted.scope && value === lifted.value),
  );
  const what = isAll ? 'does not start yet, as another halt stands' : 'may start again, but another halt stands';
  return `${name} ${what}: ${named.join(', ')}${more}.`;
}

/** What became, at a lift, of the actions that had waited. */
export function describeVoided(count: number): string {
  return count === 0 ? 'Nothing had waited.' : `${count} that had waited will not run.`;
}

/** Whether there can be work that both stop. */
function mayMeet(a: HaltReach, b: HaltReach): boolean {
  return a.scope !== 'playbook' || b.scope !== 'playbook' || a.value === b.value;
}
