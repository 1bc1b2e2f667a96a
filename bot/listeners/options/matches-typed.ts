/** Whether a text holds what somebody typed, whatever the case; `_` and `-` are the same. */
export function matchesTyped(text: string, typed: string): boolean {
  return simplify(text).includes(simplify(typed.trim()));
}

function simplify(text: string): string {
  return text.toLowerCase().replaceAll('_', '-');
}
