import { connect } from 'node:net';
import { join } from 'node:path';
import type { ControlAnswer, ControlRequest } from './control.ts';

/**
 * Asks the supervisor of that folder. Where none answers, the answer is systemctl's: exit code 1 and a sentence.
 * With `isInside` the caller has the folder as its working directory, which keeps the socket's name short.
 */
export function askSupervisor(
  options: { dir: string; isInside?: boolean },
  request: ControlRequest,
): Promise<ControlAnswer> {
  return new Promise((resolve) => {
    const socket = connect(options.isInside === true ? 'supervisor.sock' : join(options.dir, 'supervisor.sock'));
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', (error) => resolve(unreachable(options.dir, error.message)));
    socket.on('end', () => {
      socket.destroy();
      resolve(text === '' ? unreachable(options.dir, 'it ended') : (JSON.parse(text) as ControlAnswer));
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}

function unreachable(dir: string, why: string): ControlAnswer {
  return { exitCode: 1, stdout: '', stderr: `Failed to connect to the supervisor in ${dir}: ${why}` };
}
