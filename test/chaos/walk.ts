import { signCheckpoint } from '../../protocol/checkpoint.ts';
import { importSigningKey } from '../../protocol/keys.ts';
import { CallRefused } from '../support/api-caller.ts';
import type { CrashStage } from './crash-stage.ts';

/** Each walk kills one kind of process at all of its points, one after another; the walks run side by side. */
export type Walk = (stage: CrashStage) => Promise<void>;

const DAY_MS = 86_400_000;

/** A request that waits for a person. */
export const askForWaiting = (stage: CrashStage): Promise<string> =>
  stage.request({ server: 'web-2', playbook: 'waiting-repair' });

/** The log is signed again, and its growth is told: a day passes, and something happens. */
export async function passADay({ stack }: CrashStage): Promise<void> {
  const { pool } = stack.database;
  const pem = stack.env['MEDIC_SIGNING_KEY']?.replaceAll('\\n', '\n') ?? '';
  const { privateKey, publicKey } = await importSigningKey({ pem, source: 'the test' });
  const { rows } = await pool.query<{ count: number; head: string }>(
    `select seq::int as count, body::jsonb ->> 'hash' as head from audit_events order by seq desc limit 1`,
  );
  const { count = 0, head = '' } = rows[0] ?? {};
  const checkpoint = { count, head, at: new Date(Date.now() - DAY_MS).toISOString() };
  const jws = await signCheckpoint({ checkpoint, privateKey, kid: publicKey.kid });
  await pool.query(
    `insert into checkpoints (count, head, jws, signed_at) values ($1, $2, $3, now() - interval '1 day')
     on conflict do nothing`,
    [count, head, jws],
  );
  await pool.query('delete from audit_reports');
}

/** Runs into a refusal with one of these codes, and nothing else. */
export async function refusedAs(codes: readonly string[], call: Promise<unknown>): Promise<void> {
  const refusal = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (refusal instanceof CallRefused && codes.includes(refusal.code)) return;
  throw new Error(`not refused as ${codes.join(' or ')}: ${String(refusal)}`, { cause: refusal });
}

export async function makeEnrolmentToken(stage: CrashStage, server: string, part: 'api' | 'api 2'): Promise<string> {
  const path = '/api/v1/servers/enrollment-tokens';
  const made = await stage.ask({ by: 'root', part, method: 'POST', path, body: { server_name: server } });
  return (made as { token?: string }).token ?? ''; // a repeated answer keeps no secret
}
