import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Bot } from '../bot/bot.ts';

/** Read at each scrape. Over HTTP only Slack knows whether it reaches us, so there is no series then. */
export function registerSlackMetrics(registry: Registry, bot: Pick<Bot, 'disconnectedS'>): void {
  if (bot.disconnectedS() === null) return;
  new Gauge({
    name: 'medic_slack_disconnected_seconds',
    help: 'For how long there has been no socket to Slack; 0 while there is one.',
    registers: [registry],
    collect() {
      this.set(bot.disconnectedS() ?? 0);
    },
  });
}
