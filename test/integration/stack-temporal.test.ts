import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takePort } from '../../sandbox/ports.ts';
import { startTemporal } from '../../sandbox/temporal.ts';
import { isSuitableVersion } from '../../sandbox/temporal-cli.ts';
import { runStarter, waitUntilNoneUses } from '../support/stack-process.ts';

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'medic-stack-')));
});

afterEach(async () => {
  expect(await waitUntilNoneUses(folder)).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

async function withClient<T>(address: string, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

describe('the embedded Temporal', () => {
  test('knows its workflows after it was killed', async () => {
    const killed = runStarter<{ address: string }>('temporal', folder);
    await withClient((await killed.ready).address, (client) =>
      client.workflow.start('waits', { workflowId: 'kept', taskQueue: 'nobody-works-here', args: [] }),
    );
    await killed.end('SIGKILL');
    const next = await startTemporal({ dbFile: join(folder, 'temporal.db') });
    try {
      const found = await withClient(next.address, (client) => client.workflow.getHandle('kept').describe());
      expect(found.status.name).toBe('RUNNING');
    } finally {
      await next.stop();
    }
  });

  test('ends with the one who started it', async () => {
    const starter = runStarter('temporal', folder);
    await starter.ready;
    const { exitCode, stderr } = await starter.end('SIGTERM');
    expect([exitCode, stderr]).toEqual([0, 'Stopping …\n']);
  });

  test('tells when a wanted port is taken, and takes the next', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const temporal = await startTemporal({ uiPort: port });
    try {
      expect(temporal.remarks).toEqual([expect.stringMatching(`^Port ${port} is taken; using \\d+ instead\\.$`)]);
      expect((await fetch(temporal.uiUrl as string)).ok).toBe(true);
    } finally {
      await temporal.stop();
      other.close();
    }
  });

  test.each([
    ['temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)', true],
    ['temporal version 0.0.0-DEV (Server 1.30.0, UI 2.50.0)', true],
    ['temporal version 0.11.0 (Server 1.23.0, UI 2.26.2)', false],
    ['temporal version 9 (Server 2.0.0)', false],
    ['something else', false],
  ])('takes a CLI from the PATH only where its version suits: %s', (line, suits) => {
    expect(isSuitableVersion(line)).toBe(suits);
  });
});

describe('a port', () => {
  test('is the wanted one where it is free', async () => {
    const { port } = await takePort();
    expect(await takePort(port)).toEqual({ port, isWanted: true, sentence: null });
  });
});
