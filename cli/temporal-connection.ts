import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { UnavailableError } from '../domain/errors.ts';
import type { Environment } from '../services/config/environment.ts';
import { createTemporalGateway } from '../services/temporal-gateway.ts';
import type { TemporalGateway } from '../services/temporal-gateway.ts';
import { routeTemporalLogs } from '../worker/runtime.ts';

const PATIENCE_MS = 10_000; // a service that starts beside us is up by then; after that a supervisor starts us anew
const PROBE_MS = 2_000;
const BETWEEN_MS = 500;
const RECONNECT_MS = 5_000; // at most between two tries; two minutes, if nothing is said

export interface TemporalConnection {
  gateway: TemporalGateway;
  /** Only for a worker. */
  native: NativeConnection | null;
  close(): Promise<void>;
}

/**
 * Connects to the Temporal service and its namespace, waiting up to ten seconds for one that is starting. Throws
 * UnavailableError `temporal_away`, `temporal_namespace_missing`.
 */
export async function connectTemporal(input: {
  environment: Environment;
  log: Logger;
  isWorker: boolean;
}): Promise<TemporalConnection> {
  const { environment, log, isWorker } = input;
  const { address, namespace, apiKey, isTls } = environment.temporal;
  const options = { address: address ?? '', tls: isTls, ...(apiKey === null ? {} : { apiKey }) };
  const channelArgs = { 'grpc.max_reconnect_backoff_ms': RECONNECT_MS };
  const connection = Connection.lazy({ ...options, channelArgs });
  try {
    await waitForNamespace({ connection, namespace, address: options.address, log });
    // Not before: a runtime without a connection keeps the process from ending.
    if (isWorker) routeTemporalLogs(log);
    const native = isWorker ? await NativeConnection.connect(options) : null;
    const gateway = createTemporalGateway({ client: new Client({ connection, namespace }), connection, namespace });
    return {
      gateway,
      native,
      close: async () => {
        await connection.close();
        await native?.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function waitForNamespace(input: {
  connection: Connection;
  namespace: string;
  address: string;
  log: Logger;
}): Promise<void> {
  const { connection, namespace, address, log } = input;
  const deadline = performance.now() + PATIENCE_MS;
  for (let attempt = 1; ; attempt++) {
    const failure = await probeNamespace(connection, namespace);
    if (failure === null) return;
    if (performance.now() > deadline) throw explain(failure, { address, namespace });
    if (attempt === 1) log.warn({ address }, 'Temporal does not answer yet; waiting up to ten seconds');
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
}

/** What went wrong, or null where the namespace can be used. */
export async function probeNamespace(connection: Connection, namespace: string): Promise<Error | null> {
  try {
    await connection.withDeadline(Date.now() + PROBE_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const GRPC_NOT_FOUND = 5;

function explain(failure: Error, where: { address: string; namespace: string }): UnavailableError {
  if ((failure as { code?: unknown }).code === GRPC_NOT_FOUND) {
    const sentence = `Temporal at ${where.address} has no namespace "${where.namespace}": create it (temporal operator namespace create), or correct TEMPORAL_NAMESPACE.`;
    return new UnavailableError(sentence, { code: 'temporal_namespace_missing', cause: failure });
  }
  const sentence = `Temporal at ${where.address} does not answer: start it, or correct TEMPORAL_ADDRESS.`;
  return new UnavailableError(sentence, { code: 'temporal_away', cause: failure });
}
