import type { Source } from './source.ts';

export async function hasAlert(source: Source, id: string): Promise<boolean> {
  const row = await source.kysely.selectFrom('alerts').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}
