export function isInstalled(options: { root: string; needsDev: boolean }): boolean;
export function writeStamp(options: { root: string; hasDev: boolean }): void;
export function removeRecords(root: string): void;
export function computeStamp(options: { root: string; hasDev: boolean }): string;
