import { defineEntity, p } from '@mikro-orm/core';

const AlertSchema = defineEntity({
  name: 'Alert',
  tableName: 'alerts',
  properties: {
    id: p.text().primary(),
    source: p.text(),
    title: p.text(),
    data: p.json<Record<string, unknown>>().defaultRaw(`'{}'`),
    createdAt: p.datetime(3).defaultRaw('now()'),
  },
});

/** A signal from monitoring. Actions may point to it; deleting it sets their pointer to null. */
export class Alert extends AlertSchema.class {}
AlertSchema.setClass(Alert);
