import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InvalidInputError } from '../../domain/errors.ts';

const DEEPEST = 32; // nothing we read is nested deeper than ten

/**
 * JSON in UTF-8 only; `__proto__` and `constructor.prototype` are refused, and so is deep nesting, and what is larger
 * than `limitOf` says, where that is less than the route's own. No body at all is `{}`.
 */
export function registerJsonBody(app: FastifyInstance, limitOf: (request: FastifyRequest) => number): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (!isUtf8(request.headers['content-type'] ?? '')) {
      done(Object.assign(new Error('another charset'), { statusCode: 415 }));
      return;
    }
    const text = body.toString();
    if (Buffer.byteLength(text) > limitOf(request)) {
      done(Object.assign(new Error('too large'), { statusCode: 413 }));
      return;
    }
    if (text.trim() === '') {
      done(null, {});
      return;
    }
    const fault = findFault(text);
    if (fault !== null) {
      done(fault);
      return;
    }
    void parse(request, text, (error, value) => {
      const isPoisoned = error !== null && isJson(text); // well formed, so it was refused for a name
      const message = 'The names __proto__ and constructor.prototype are not accepted.';
      if (isPoisoned) done(new InvalidInputError(message, { code: 'forbidden_name', cause: error }));
      else done(error, value);
    });
  });
  app.addHook('onRequest', (request, _reply, done) => {
    const isBad = /%00/.test(request.url);
    done(
      isBad ? new InvalidInputError('The address holds the character U+0000.', { code: 'invalid_text' }) : undefined,
    );
  });
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined && request.method !== 'GET') request.body = {};
    done();
  });
}

/** What is wrong with a text before anything is built from it. */
function findFault(text: string): InvalidInputError | null {
  if (isTooDeep(text)) {
    const message = `The JSON is nested deeper than ${DEEPEST} levels.`;
    return new InvalidInputError(message, { code: 'too_deep' });
  }
  if (/\\u(?:0000|d[89a-f])/i.test(text) && holdsWhatNobodyStores(text)) {
    const message = 'No text may hold the character U+0000 or half of a surrogate pair.';
    return new InvalidInputError(message, { code: 'invalid_text' });
  }
  return null;
}

/** Where nothing is said it is UTF-8: JSON has no other encoding on the wire (RFC 8259, 8.1). */
function isUtf8(contentType: string): boolean {
  const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(contentType) ?? [];
  return ['utf-8', 'utf8'].includes(charset.toLowerCase());
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * PostgreSQL's text holds no NUL, RFC 8785 no half of a surrogate pair: what JSON.stringify writes as an escape, where
 * that is not itself escaped.
 */
function holdsWhatNobodyStores(text: string): boolean {
  return isJson(text) && /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(JSON.stringify(JSON.parse(text)));
}

/** Counts brackets outside strings, before anything is built from the text. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (isInString) {
      if (character === '\\') i++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') {
      depth++;
      if (depth > DEEPEST) return true;
    } else if (character === '}' || character === ']') depth--;
  }
  return false;
}
