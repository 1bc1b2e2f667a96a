export function checkPlatform(found?: { platform: string; arch: string; hasGlibc: boolean }): void;
export function locateNode(root: string, arch?: string): string;
