/** A whole argument, or the part after `--name=`. */
export const SLOT = /^(--[A-Za-z0-9][A-Za-z0-9._-]*=)?\$\{([a-z0-9_-]+)\}$/;

export type Argument = { kind: 'text'; text: string } | { kind: 'slot'; prefix: string; param: string };

/** An argument of a template; undefined where it holds `${` in any other form than `${name}` or `--name=${name}`. */
export function parseArgument(text: string): Argument | undefined {
  if (!text.includes('${')) return { kind: 'text', text };
  const match = SLOT.exec(text);
  return match === null ? undefined : { kind: 'slot', prefix: match[1] ?? '', param: match[2] ?? '' };
}
