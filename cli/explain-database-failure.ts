import { ConfigurationError, MedicError, UnavailableError } from '../domain/errors.ts';

/** One sentence for what PostgreSQL or the network said, without the password. Errors of ours pass as they are. */
export function explainDatabaseFailure(error: unknown, url: string): MedicError {
  if (error instanceof MedicError) return error;
  const { code, message } = describe(error);
  const where = nameDatabase(url);
  if (code === '28P01' || code === '28000') {
    return new ConfigurationError(`PostgreSQL at ${where} does not accept the user or password of DATABASE_URL.`, {
      code: 'database_refused',
      cause: error,
    });
  }
  if (code === '3D000') {
    const sentence = `PostgreSQL is there, but the database of ${where} is not: create it with \`createdb\`, or correct DATABASE_URL.`;
    return new ConfigurationError(sentence, { code: 'database_missing', cause: error });
  }
  const sentence = `PostgreSQL at ${where} is not reachable (${code ?? message}): start it, or correct DATABASE_URL.`;
  return new UnavailableError(sentence, { code: 'database_away', cause: error });
}

function describe(error: unknown): { code: string | undefined; message: string } {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const code = (first as { code?: unknown } | null)?.code;
  return {
    code: typeof code === 'string' ? code : undefined,
    message: first instanceof Error ? first.message : String(first),
  };
}

function nameDatabase(url: string): string {
  if (!URL.canParse(url)) return 'DATABASE_URL';
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
