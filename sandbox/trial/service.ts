import { appendFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * `node service.ts --name shop --port 9000 --logs FOLDER`: the small service that the trial servers look after. It
 * answers /healthz, writes an access log, says `ready` when it listens, and ends on SIGTERM.
 */
const { values } = parseArgs({
  options: { name: { type: 'string' }, port: { type: 'string' }, logs: { type: 'string' } },
});
const { name = 'service', port = '0', logs = '.' } = values;
const logFile = join(logs, `${name}.log`);
mkdirSync(logs, { recursive: true });
const startedAt = new Date();

const server = createServer((request, response) => {
  appendFileSync(logFile, `${new Date().toISOString()} ${request.method} ${request.url}\n`);
  response.setHeader('content-type', 'application/json');
  response.setHeader('access-control-allow-origin', '*'); // the sandbox's page shows its state
  response.end(`${JSON.stringify({ service: name, status: 'ok', pid: process.pid, started_at: startedAt })}\n`);
});

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
