import { isJson } from '../model.ts';
import type { Json } from '../model.ts';

export type Surface = 'message' | 'modal' | 'home';

export interface CheckContext {
  surface: Surface;
  problems: Problems;
  /** Action ids seen in the block that is being looked at; Slack wants them unique there. */
  actionIds: Set<string>;
}

/** Everything that is wrong, in the words Slack answers with. */
export class Problems {
  readonly messages: string[] = [];

  add(pointer: string, what: string): void {
    this.messages.push(`[ERROR] ${what} [json-pointer:${pointer}]`);
  }

  /** Whether the value is an object; says so when not. */
  object(value: unknown, pointer: string): value is Json {
    if (isJson(value)) return true;
    this.add(pointer, 'must be an object');
    return false;
  }

  keys(value: Json, allowed: readonly string[], pointer: string): void {
    for (const key of Object.keys(value)) {
      if (!allowed.includes(key)) this.add(`${pointer}/${key}`, `no more properties are allowed, found: ${key}`);
    }
  }

  string(value: unknown, pointer: string, limit: { max: number; min?: number; required?: boolean }): boolean {
    if (value === undefined || value === null) {
      if (limit.required === true) this.add(pointer, 'missing required field');
      return false;
    }
    if (typeof value !== 'string') {
      this.add(pointer, 'must be a string');
      return false;
    }
    const min = limit.min ?? (limit.required === true ? 1 : 0);
    if (value.length < min) this.add(pointer, `must be more than ${String(min - 1)} characters`);
    if (value.length > limit.max) this.add(pointer, `must be less than ${String(limit.max + 1)} characters`);
    return true;
  }

  boolean(value: unknown, pointer: string): void {
    if (value !== undefined && typeof value !== 'boolean') this.add(pointer, 'must be a boolean');
  }

  integer(value: unknown, pointer: string, limit: { min: number; max: number }): void {
    if (value === undefined) return;
    if (!Number.isInteger(value)) this.add(pointer, 'must be an integer');
    else if (Number(value) < limit.min || Number(value) > limit.max) {
      this.add(pointer, `must be between ${String(limit.min)} and ${String(limit.max)}`);
    }
  }

  oneOf(value: unknown, allowed: readonly string[], pointer: string): void {
    if (value !== undefined && !allowed.includes(String(value))) {
      this.add(pointer, `must be one of: ${allowed.join(', ')}`);
    }
  }

  list(value: unknown, pointer: string, limit: { min?: number; max: number }): unknown[] {
    if (!Array.isArray(value)) {
      this.add(pointer, value === undefined ? 'missing required field' : 'must be an array');
      return [];
    }
    const min = limit.min ?? 1;
    if (value.length < min) this.add(pointer, `no less than ${String(min)} items allowed`);
    if (value.length > limit.max)
      this.add(pointer, `no more than ${String(limit.max)} items allowed [${String(value.length)}]`);
    return value;
  }

  /** Slack fetches or opens these itself, so only web addresses pass. */
  url(value: unknown, pointer: string, required: boolean): void {
    if (!this.string(value, pointer, { max: 3000, required })) return;
    if (!/^(https?|mailto|slack):/i.test(String(value)) || !URL.canParse(String(value)))
      this.add(pointer, 'invalid url');
  }
}
