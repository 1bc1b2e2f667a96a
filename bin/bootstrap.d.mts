export function main(args: readonly string[]): Promise<void>;
export function routeCommand(args: readonly string[]): { file: string; rest: string[] };
