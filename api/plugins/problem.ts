import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import * as z from 'zod';
import * as errors from '../../domain/errors.ts';
import type { FieldError } from '../../domain/errors.ts';
import { suggestNearest } from '../../domain/nearest-word.ts';
import { toUnavailable } from '../../services/unavailable.ts';

/** An error as the answer tells it (RFC 9457). */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  errors: readonly FieldError[];
  /** More members, e.g. `server_time`; never one of the standard ones. */
  extra: Readonly<Record<string, unknown>>;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Invalid request',
  401: 'Who are you?',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'The present state forbids it',
  413: 'Too large',
  414: 'Address too long',
  415: 'Unsupported media type',
  426: 'Upgrade required',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Unavailable',
};
const STANDARD_MEMBERS = ['type', 'title', 'status', 'detail', 'code', 'errors', 'instance'];
const RETRY_AFTER_S = 5;

/** Every error becomes `application/problem+json` here and nowhere else; what is not ours is logged and not told. */
export function registerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError | Error, request, reply) => {
    const problem = toProblem(error, request);
    if (problem.status >= 500) request.log.error({ err: error, url: request.routeOptions.url }, 'a request failed');
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const detail = `There is no ${request.method} ${request.url.split('?', 1)[0]?.slice(0, 200)}: /docs shows what there is.`;
    return sendProblem(reply, { status: 404, code: 'unknown_route', detail, errors: [], extra: {} });
  });
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, code, detail } = problem;
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="medic"');
  if (status === 503 || status === 429) {
    void reply.header('retry-after', String(problem.extra['retry_after_s'] ?? RETRY_AFTER_S));
  }
  const body = { type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, code, errors: problem.errors };
  return reply
    .status(status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send({ ...problem.extra, ...body });
}

export function toProblem(error: FastifyError | Error, request: FastifyRequest): Problem {
  const known = error instanceof errors.MedicError ? error : toUnavailable(error);
  if (known !== null) {
    const status = statusOf(known);
    const extra = Object.entries(known.details).map(([key, value]) => [
      STANDARD_MEMBERS.includes(key) ? `present_${key}` : key,
      value,
    ]);
    const { code, message: detail, fields } = known;
    return { status, code, detail, errors: fields, extra: Object.fromEntries(extra) as Record<string, unknown> };
  }
  if (hasZodFastifySchemaValidationErrors(error)) return toInvalid(error, request);
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (status < 400 || status >= 500) {
    const detail = 'Something went wrong inside Medic; its log tells more.';
    return { status: 500, code: 'internal_error', detail, errors: [], extra: {} };
  }
  return { status, ...describeTransport(status, error), errors: [], extra: {} };
}

function statusOf(error: errors.MedicError): number {
  if (error.code === 'unsupported_protocol') return 426;
  if (error instanceof errors.InvalidInputError) return 400;
  if (error instanceof errors.UnauthenticatedError) return 401;
  if (error instanceof errors.NotAllowedError) return 403;
  if (error instanceof errors.NotFoundError) return 404;
  if (error instanceof errors.ConflictError) return 409;
  if (error instanceof errors.TooManyRequestsError) return 429;
  if (error instanceof errors.UnavailableError) return 503;
  return 500;
}

/** What Fastify itself refuses before a route is asked. */
function describeTransport(status: number, error: Error): { code: string; detail: string } {
  switch (status) {
    case 413:
      return {
        code: 'too_large',
        detail:
          'The body is too large: at most 1 MiB for a heartbeat, and for anything else 64 KiB or what `limits` says.',
      };
    case 414:
      return { code: 'address_too_long', detail: 'A part of the address is longer than anything it could name.' };
    case 415:
      return {
        code: 'unsupported_media_type',
        detail: 'The body must be JSON in UTF-8: send Content-Type: application/json.',
      };
    case 429:
      return { code: 'too_many_requests', detail: 'Too many requests: wait as long as Retry-After says.' };
    case 400:
      if ((error as FastifyError).code === 'FST_ERR_BAD_URL') {
        return { code: 'invalid_address', detail: 'The address cannot be read: its percent-encoding is broken.' };
      }
      return { code: 'invalid_json', detail: `The request cannot be read: ${error.message}.` };
    default:
      return { code: 'invalid_json', detail: `The request cannot be read: ${error.message}.` };
  }
}

interface Issue {
  keyword: string;
  instancePath: string;
  message?: string | undefined;
  params: Record<string, unknown>;
}

function toInvalid(
  error: { validation: readonly Issue[]; validationContext?: string | undefined },
  request: FastifyRequest,
): Problem {
  const part = error.validationContext ?? 'body';
  const fields = error.validation.flatMap((issue) => toFields(issue, knownKeys(request, part)));
  const detail = fields.map(({ message }) => message).join(' ');
  return { status: 400, code: 'invalid_request', detail, errors: fields, extra: {} };
}

function toFields(issue: Issue, known: readonly string[]): FieldError[] {
  const path = issue.instancePath.slice(1).replaceAll('/', '.');
  if (issue.keyword === 'unrecognized_keys') {
    const keys = issue.params['keys'] as string[];
    return keys.map((key) => {
      const hint = suggestNearest(key, known) || ` Known: ${known.join(', ')}.`;
      const at = path === '' ? key : `${path}.${key}`;
      return {
        path: at,
        code: 'unknown_field',
        message: `${JSON.stringify(key.slice(0, 80))} is no field here.${hint}`,
      };
    });
  }
  const message = `${path === '' ? 'The request' : path}: ${issue.message ?? 'is wrong'}.`;
  return [{ path, code: issue.keyword, message }];
}

/** The fields that the route's schema knows in this part of the request. */
function knownKeys(request: FastifyRequest, part: string): string[] {
  const schema = (request.routeOptions.schema as Record<string, unknown> | undefined)?.[part];
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
