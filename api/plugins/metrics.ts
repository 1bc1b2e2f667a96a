import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Context } from '../../services/context.ts';
import {
  countActionsByStatus,
  countHeldByLimit,
  countLimitsUsed,
  countHaltsByScope,
  countHeldBackByPlaybook,
  countOutboxByKind,
  countServersByStatus,
  countSlackSockets,
  listLimits,
  readSlackSilence,
} from '../../services/metrics-counts.ts';

const BUCKETS_S = [0.005, 0.025, 0.1, 0.3, 1, 3, 10, 30]; // a click has 3 s, a held heartbeat 25

/** What each request took, and what stands in the database at each scrape. */
export function registerMetrics(app: FastifyInstance, input: { ctx: Context; registry: Registry }): void {
  const registers = [input.registry];
  const labelNames = ['method', 'route', 'status'] as const;
  const seconds = new Histogram({
    name: 'medic_http_request_duration_seconds',
    help: 'Time from request to answer; heartbeats are held on purpose.',
    labelNames,
    buckets: BUCKETS_S,
    registers,
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    seconds.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    done();
  });
  registerDatabaseGauges(input);
}

const BY_LABEL = [
  { name: 'medic_actions', help: 'Actions by status.', label: 'status', count: countActionsByStatus },
  { name: 'medic_actions_held', help: 'Actions that a limit holds.', label: 'by', count: countHeldByLimit },
  { name: 'medic_limit', help: 'Limits of medic.yaml.', label: 'limit', count: listLimits },
  { name: 'medic_limit_used', help: 'How much of a limit is taken.', label: 'limit', count: countLimitsUsed },
  { name: 'medic_servers', help: 'Servers by status.', label: 'status', count: countServersByStatus },
  { name: 'medic_halts', help: 'Halts that stand.', label: 'scope', count: countHaltsByScope },
  {
    name: 'medic_held_back',
    help: 'Servers on which a playbook is held back.',
    label: 'playbook',
    count: countHeldBackByPlaybook,
  },
  { name: 'medic_slack_outbox_waiting', help: 'Messages owed to Slack.', label: 'kind', count: countOutboxByKind },
  { name: 'medic_slack_sockets', help: 'Bots by their socket to Slack.', label: 'state', count: countSlackSockets },
];

/** Each keeps its last value while the database cannot be read. */
function registerDatabaseGauges({ ctx, registry }: { ctx: Context; registry: Registry }): void {
  const registers = [registry];
  const failures = new Counter({
    name: 'medic_metrics_read_failures_total',
    help: 'Scrapes for which the database could not be read.',
    registers,
  });
  const read = async (metric: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.inc();
      ctx.log.warn({ err: error, metric }, 'a metric could not be read from the database');
    }
  };
  for (const { name, help, label, count } of BY_LABEL) {
    const gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect: () =>
        read(name, async () => {
          const counts = await count(ctx);
          gauge.reset();
          for (const [value, total] of counts) gauge.set({ [label]: value }, total);
        }),
    });
  }
  const name = 'medic_slack_disconnected_seconds';
  const silence = new Gauge({
    name,
    help: 'For how long no bot has had a socket to Slack; 0 while one has.',
    registers,
    collect: () =>
      read(name, async () => {
        const seconds = await readSlackSilence(ctx);
        if (seconds === null) silence.remove();
        else silence.set(seconds);
      }),
  });
}
