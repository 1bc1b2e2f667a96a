import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const SHUTDOWN = pathToFileURL(join(process.cwd(), 'sandbox', 'shutdown.ts')).href;
const SCRIPT = `
  const { createShutdown } = await import(${JSON.stringify(SHUTDOWN)});
  const shutdown = createShutdown({ say: console.log });
  const alive = setInterval(() => undefined, 60_000);
  shutdown.add('first', async () => console.log('first stopped'));
  shutdown.add('broken', async () => { throw new Error('it is stuck'); });
  shutdown.add('last', () => new Promise((resolve) => {
    console.log('last is stopping');
    if (process.argv[1] !== 'hang') setTimeout(resolve, 50);
  }));
  console.log('running');
  await shutdown.finished;
  clearInterval(alive);
`;

function run(...args: string[]) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, ...args]);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const until = async (wanted: string): Promise<void> => {
    while (!lines.includes(wanted)) await once(reader, 'line');
  };
  return { child, lines, until, closed: once(child, 'close') };
}

describe('a signal to stop', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s stops the parts in reverse order, whichever fails',
    async (signal) => {
      const { child, lines, until, closed } = run();
      await until('running');
      child.kill(signal);
      await until('last is stopping');
      child.kill(signal); // the same key press, handed on a second time
      await closed;
      const stuck = 'Could not stop broken cleanly: it is stuck';
      expect(lines).toEqual(['running', 'Stopping …', 'last is stopping', stuck, 'first stopped']);
      expect(child.exitCode).toBe(0);
    },
  );

  test('ends a part that hangs when it comes again', async () => {
    const { child, until, closed } = run('hang');
    await until('running');
    child.kill('SIGINT');
    await until('last is stopping');
    const again = setInterval(() => child.kill('SIGINT'), 100);
    await closed;
    clearInterval(again);
    expect(child.exitCode).toBe(130);
  });
});
