import { isIP } from 'node:net';

export interface ListenAddress {
  host: string;
  /** 0: any free port. */
  port: number;
}

/** `host:port`, `[::1]:port` or `:port` (every interface); null for anything else. */
export function parseListenAddress(text: string): ListenAddress | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/]*)):(\d{1,5})$/i.exec(text);
  if (match === null) return null;
  const [, bracketed, plain, digits] = match;
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (port > 65_535 || (bracketed !== undefined && isIP(bracketed) !== 6)) return null;
  return { host: host === '' ? '::' : host, port };
}

/** Reached from this machine only. A name other than `localhost` may lead anywhere. */
export function isLoopbackHost(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === 'localhost' || host === '::1' || host === '::ffff:127.0.0.1';
}

/** As it stands in an address: an IPv6 host in brackets. */
export function formatHostPort({ host, port }: ListenAddress): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
