export type ServerStatus = 'online' | 'offline' | 'never_seen';

export const MISSED_INTERVALS = 3; // contract §4: nothing heard for three intervals

export interface Liveness {
  last_seen_at: Date | null;
  heartbeat_interval_s: number;
}

export function serverStatus(server: Liveness, now: Date): ServerStatus {
  if (server.last_seen_at === null) return 'never_seen';
  const silenceS = (now.getTime() - server.last_seen_at.getTime()) / 1000;
  return silenceS > MISSED_INTERVALS * server.heartbeat_interval_s ? 'offline' : 'online';
}

export function isServerOffline(server: Liveness, now: Date): boolean {
  return serverStatus(server, now) !== 'online';
}
