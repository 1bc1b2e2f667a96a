import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { isTemporalReady } from '../../sandbox/temporal-probe.ts';
import { readStack } from '../support/stack.ts';

describe('the stack of a test run', () => {
  test('has a PostgreSQL that takes a superuser', async () => {
    const client = new pg.Client({ connectionString: readStack().postgresUrl });
    await client.connect();
    const answer = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
    await client.end();
    expect(answer.rows).toEqual([{ rolsuper: true }]);
  });

  test('has a Temporal server that serves its namespace', async () => {
    expect(await isTemporalReady(readStack().temporalAddress, 'default')).toBe(true);
  });
});
