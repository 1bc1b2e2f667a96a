import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../../services/context.ts';
import { withIdempotency } from '../../services/idempotency.ts';
import { readAsker } from './authenticate.ts';

/**
 * Runs a write and gives its answer, with `status` set. Under an Idempotency-Key a repeat is answered 200 with what was
 * kept of the first answer. `run` gets the id that all tries under one key share, or undefined where there is no key.
 */
export async function answerOnce<T extends object>(
  ctx: Context,
  exchange: { request: FastifyRequest; reply: FastifyReply },
  write: { status: 200 | 201; run(effectId: string | undefined): Promise<T>; keep?(answer: T): Partial<T> },
): Promise<T> {
  const { request, reply } = exchange;
  const key = request.headers['idempotency-key'];
  void reply.status(write.status);
  if (typeof key !== 'string') return write.run(undefined);
  const outcome = await withIdempotency(ctx, {
    principal: readAsker(request).principal.name,
    method: request.method,
    path: request.url.split('?', 1)[0] ?? request.url,
    key,
    body: request.body,
    run: (effectId) => write.run(effectId),
    keep: (answer) => write.keep?.(answer) ?? answer,
  });
  if (!outcome.isRepeat) return outcome.answer;
  void reply.status(200).header('idempotent-replayed', 'true');
  return outcome.answer as T; // what was kept of a T, checked by the schema of the answer
}
