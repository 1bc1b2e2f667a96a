import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { MikroORM } from '@mikro-orm/postgresql';
import ts from 'typescript';
import { ENTITIES } from '../../db/entities/index.ts';

/** Interface name → its property names (for `Tables`: table name → interface name). */
function readInterfaces(): Map<string, Map<string, string>> {
  const files = ['tables.ts', 'audit-tables.ts', 'slack-tables.ts', 'halt-tables.ts', 'key-tables.ts'].map(
    (name) => new URL(`../../db/${name}`, import.meta.url),
  );
  const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
  const source = ts.createSourceFile('tables.ts', text, ts.ScriptTarget.Latest);
  const interfaces = new Map<string, Map<string, string>>();
  for (const node of source.statements.filter(ts.isInterfaceDeclaration)) {
    const members = node.members.filter(ts.isPropertySignature);
    interfaces.set(
      node.name.text,
      new Map(members.map(({ name, type }) => [name.getText(source), type?.getText(source) ?? ''])),
    );
  }
  return interfaces;
}

describe('the tables as Kysely sees them', () => {
  test('have the columns of the entities, and say null where they do', () => {
    const orm = new MikroORM({ entities: ENTITIES, dbName: 'unused' });
    const interfaces = readInterfaces();
    const typed = [...(interfaces.get('Tables') ?? [])].map(([table, name]) => [table, interfaces.get(name)] as const);
    const metadata = [...orm.getMetadata().getAll().values()];
    const columns = metadata.map(
      (meta) =>
        [
          meta.tableName,
          meta.props.flatMap((prop) => prop.fieldNames.map((name) => [name, prop.nullable === true] as const)),
        ] as const,
    );
    expect(Object.fromEntries(typed.map(([table, fields]) => [table, describeFields(fields)]))).toEqual(
      Object.fromEntries(columns.map(([table, fields]) => [table, Object.fromEntries(fields)])),
    );
  });
});

function describeFields(fields: Map<string, string> | undefined): Record<string, boolean> {
  return Object.fromEntries([...(fields ?? [])].map(([name, type]) => [name, /\| null|OrNull/.test(type)]));
}
