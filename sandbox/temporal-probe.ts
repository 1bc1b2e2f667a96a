import { connect } from 'node:http2';

const PATH = '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace';
const ATTEMPT_MS = 1_000; // on loopback an answer takes milliseconds; a port that only listens must not hold us up

/**
 * Whether the Temporal server at this address serves this namespace. One gRPC call by hand: the SDK's client costs
 * half a second to load, and waits long between its tries.
 */
export function isTemporalReady(address: string, namespace: string): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const finish = (isReady: boolean): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(isReady);
    };
    const timer = setTimeout(finish, ATTEMPT_MS, false);
    session.on('error', () => finish(false));
    const stream = session.request({
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => finish(false));
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) finish(headers['grpc-status'] === '0'); // an error without a body
    });
    stream.on('trailers', (trailers) => finish(trailers['grpc-status'] === '0'));
    stream.on('data', () => undefined);
    stream.end(encodeRequest(namespace));
  });
}

/** A gRPC frame around a message whose field 1 is the namespace. */
function encodeRequest(namespace: string): Buffer {
  const name = Buffer.from(namespace);
  const message = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}
