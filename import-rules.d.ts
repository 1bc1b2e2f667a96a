export interface ImportRule {
  folder: string;
  folders: readonly string[] | '*';
  packages: readonly string[] | '*';
  types?: boolean;
  forbidFiles?: readonly string[];
}
export const IMPORT_RULES: readonly ImportRule[];
export const COMPOSERS: readonly string[];
export const FOLDERS: readonly string[];
export function restrictionsOf(rule: ImportRule): { patterns: unknown[] };
