interface Stoppable {
  stop(): Promise<unknown>;
}

const KEPT = Symbol.for('medic.test.stack'); // Jest loads setup and teardown as two copies of this module
type Registry = Record<symbol, Stoppable[] | undefined>;

/** Whether a run with these path patterns has tests that are not unit tests; no pattern means all of them. */
export function needsStack(patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => !/(^|\/)test\/unit(\/|$)/.test(pattern));
}

export function keepForTeardown(part: Stoppable): void {
  const registry = globalThis as unknown as Registry;
  registry[KEPT] = [part, ...(registry[KEPT] ?? [])];
}

export async function stopKept(): Promise<void> {
  const registry = globalThis as unknown as Registry;
  for (const part of registry[KEPT] ?? []) await part.stop();
  registry[KEPT] = [];
}

/** Control planes of tests that run side by side must not fetch each other's work. */
export const WORKER_NAMESPACES: readonly string[] = ['worker-1', 'worker-2', 'worker-3', 'worker-4'];

/**
 * The addresses of this run's servers, and this Jest worker's own Temporal namespace. Throws in a run that was started
 * without them.
 */
export function readStack(): { postgresUrl: string; temporalAddress: string; temporalNamespace: string } {
  const postgresUrl = process.env['MEDIC_TEST_POSTGRES_URL'];
  const temporalAddress = process.env['MEDIC_TEST_TEMPORAL_ADDRESS'];
  if (postgresUrl === undefined || temporalAddress === undefined) {
    throw new Error('This test needs the stack: run it through Jest with a path that is not below test/unit.');
  }
  const temporalNamespace = `worker-${process.env['JEST_WORKER_ID'] ?? '1'}`;
  return { postgresUrl, temporalAddress, temporalNamespace };
}
