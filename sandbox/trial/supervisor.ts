import { readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { answerControl, type ControlRequest } from './control.ts';
import { Unit, type UnitSettings } from './unit.ts';

/**
 * `node supervisor.ts FOLDER`: runs the services that FOLDER/units.json names and is controlled over
 * FOLDER/supervisor.sock (0600). A small systemd for the trial servers: a service that dies stays dead until somebody
 * restarts it. Says `ready` when all of them are started; SIGTERM stops them and ends it.
 */
const SOCKET = 'supervisor.sock'; // relative: an absolute path may exceed the 107 bytes a socket's name can have

process.chdir(process.argv[2] ?? '.');
const settings = JSON.parse(readFileSync('units.json', 'utf8')) as UnitSettings[];
const units = new Map(settings.map((entry) => [entry.name, new Unit(entry)]));

const server = createServer((socket) => void serve(socket));
process.on('SIGTERM', () => void end());
await Promise.all([...units.values()].map((unit) => unit.start()));
rmSync(SOCKET, { force: true });
process.umask(0o177);
server.listen(SOCKET, () => process.stdout.write('ready\n'));

async function serve(socket: Socket): Promise<void> {
  socket.on('error', () => undefined); // whoever asked is gone; the job goes on, as with systemd
  for await (const line of createInterface({ input: socket })) {
    const answer = await answerControl(JSON.parse(line) as ControlRequest, units);
    socket.end(`${JSON.stringify(answer)}\n`);
  }
}

async function end(): Promise<void> {
  server.close();
  await Promise.all([...units.values()].map((unit) => unit.stop()));
  process.exit(0);
}
