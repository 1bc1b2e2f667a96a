import { defineEntity, p } from '@mikro-orm/core';

/** A playbook that a server says it holds. */
export interface HeldPlaybook {
  name: string;
  digest: string;
}

/** A command that an agent listed as received and not yet reported. `started_at` is null until a process was started. */
export interface RunningCommand {
  command_id: string;
  started_at: string | null;
  step: number;
  steps: number;
}

const ServerSchema = defineEntity({
  name: 'Server',
  tableName: 'servers',
  properties: {
    id: p.text().primary(),
    name: p.text().unique('servers_name_unique'),
    tags: p.array().columnType('text[]').defaultRaw(`'{}'`),
    paused: p.boolean().default(false),
    pausedBy: p.text().nullable(),
    pausedAt: p.datetime(3).nullable(),
    pauseReason: p.text().nullable(),
    pausedUntil: p.datetime(3).nullable(),
    lastSeenAt: p.datetime(3).nullable(),
    agentVersion: p.text().nullable(),
    os: p.text().nullable(),
    hostname: p.text().nullable(),
    protocol: p.integer().nullable(),
    playbooks: p.json<HeldPlaybook[]>().defaultRaw(`'[]'`),
    sessionStartedAt: p.datetime(3).nullable(),
    sessionBeat: p.bigint('number').nullable(),
    bootId: p.text().nullable(),
    uptimeS: p.double().nullable(),
    load: p.double().nullable(),
    running: p.json<RunningCommand[]>().defaultRaw(`'[]'`),
    nextSeq: p.bigint('number').defaultRaw('1'),
    heartbeatIntervalS: p.integer().default(60),
    journalDamagedAt: p.datetime(3).nullable(),
    journalDamagedLines: p.integer().nullable(),
    revokedAt: p.datetime(3).nullable(),
    createdAt: p.datetime(3).defaultRaw('now()'),
  },
});

/**
 * A machine we look after. `nextSeq` is the number the next command handed out there gets; `journalDamagedAt` when its
 * agent last found its journal damaged, with so many lines that cannot be read.
 */
export class Server extends ServerSchema.class {}
ServerSchema.setClass(Server);
