/**
 * Can each of these people be matched to a group of their own? `people` holds, for each, the groups they may stand
 * for. Augmenting paths (Kuhn): greedy choices would refuse someone whom another order allows.
 */
export function areDistinctlyMatched(people: readonly (readonly string[])[]): boolean {
  const holders = new Map<string, number>();
  const place = (person: number, visited: Set<string>): boolean => {
    for (const group of people[person] ?? []) {
      if (visited.has(group)) continue;
      visited.add(group);
      const holder = holders.get(group);
      if (holder !== undefined && !place(holder, visited)) continue;
      holders.set(group, person);
      return true;
    }
    return false;
  };
  return people.every((_groups, person) => place(person, new Set()));
}
