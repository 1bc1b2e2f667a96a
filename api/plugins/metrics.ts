import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Context } from '../../services/context.ts';
import { countActionsByStatus, countOutboxByKind, countServersByStatus } from '../../services/metrics-counts.ts';

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
  const failures = new Counter({
    name: 'medic_metrics_read_failures_total',
    help: 'Scrapes for which the database could not be read.',
    registers,
  });
  const gauges = [
    { name: 'medic_actions', help: 'Actions by status.', label: 'status', count: countActionsByStatus },
    { name: 'medic_servers', help: 'Servers by status.', label: 'status', count: countServersByStatus },
    { name: 'medic_slack_outbox_waiting', help: 'Messages owed to Slack.', label: 'kind', count: countOutboxByKind },
  ];
  for (const { name, help, label, count } of gauges) {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      async collect() {
        try {
          const counts = await count(input.ctx);
          this.reset();
          for (const [value, total] of counts) this.set({ [label]: value }, total);
        } catch (error) {
          failures.inc();
          input.ctx.log.warn({ err: error, metric: name }, 'a metric could not be read from the database');
        }
      },
    });
  }
}
