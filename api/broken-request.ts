import type { Socket } from 'node:net';

interface Broken {
  status: number;
  title: string;
  code: string;
  detail: string;
}

/** What HTTP's own parser could not read is answered like every other error, and its connection ends. */
export function answerBrokenRequest(error: Error & { code?: string; rawPacket?: unknown }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, title, code, detail } = describe(error.code);
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, code, errors: [] });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${isHead(error.rawPacket) ? '' : body}`);
  socket.destroySoon();
}

/** An answer to HEAD has no body: the client would take it for the next answer. */
function isHead(packet: unknown): boolean {
  return Buffer.isBuffer(packet) && packet.subarray(0, 5).toString('latin1') === 'HEAD ';
}

function describe(reason: string | undefined): Broken {
  switch (reason) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        title: 'Request Header Fields Too Large',
        code: 'headers_too_large',
        detail: 'The address and the headers are longer than 16 KiB.',
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        title: 'Request Timeout',
        code: 'request_timeout',
        detail: 'The request did not arrive in time.',
      };
    default:
      return { status: 400, title: 'Bad Request', code: 'invalid_http', detail: 'The request is no HTTP.' };
  }
}
