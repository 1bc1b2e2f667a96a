/** Writes the JSON Schemas for editors anew: `node playbooks/write-schemas.mjs`, after a change of what the parser reads. */
import { writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { createAllowSchema } from '../playbook/allow-schema.ts';
import { createPlaybookSchema } from '../playbook/json-schema.ts';

const schemas = { 'playbook.schema.json': createPlaybookSchema(), 'allow.schema.json': createAllowSchema() };

for (const [name, schema] of Object.entries(schemas)) {
  const text = await format(JSON.stringify(schema), { parser: 'json', printWidth: 120 });
  await writeFile(new URL(name, import.meta.url), text);
}
