import type { Dice } from '../test/support/seeded.ts';

/** Lines as services of a server print them, without a secret in any; some talk of passwords and tokens all the same. */
export function createOrdinaryLine(dice: Dice): string {
  return dice.pick(MAKERS)(dice);
}

const hex = (dice: Dice, length: number): string => Array.from({ length }, () => dice.roll(16).toString(16)).join('');
const id = (dice: Dice): string => [8, 4, 4, 4, 12].map((length) => hex(dice, length)).join('-');
const ip = (dice: Dice): string => Array.from({ length: 4 }, () => String(1 + dice.roll(254))).join('.');
const stamp = (dice: Dice): string => new Date(1_700_000_000_000 + dice.roll(1e9)).toISOString();
const unit = (dice: Dice): string => dice.pick(['nginx', 'postgresql', 'sshd', 'cron', 'app-web', 'redis', 'kubelet']);
const syslog = (dice: Dice): string =>
  `Nov 21 10:${String(10 + dice.roll(49))}:07 web-1 ${unit(dice)}[${String(dice.roll(30_000))}]:`;

const MAKERS: readonly ((dice: Dice) => string)[] = [
  (d) => `${syslog(d)} Started ${unit(d)}.service - a service of this server.`,
  (d) => `${syslog(d)} Main process exited, code=exited, status=${String(d.roll(3))}/FAILURE`,
  (d) =>
    `${ip(d)} - - [21/Nov/2026:10:00:00 +0000] "GET /api/v1/items/${id(d)}?page=${String(d.roll(90))}&sort=name HTTP/1.1" 200 ${String(d.roll(9_000))} "https://shop.example/" "Mozilla/5.0"`,
  (d) =>
    `{"level":"info","time":"${stamp(d)}","msg":"request completed","reqId":"${id(d)}","responseTime":${String(d.roll(900))}}`,
  (d) =>
    `${stamp(d)} INFO  [main] com.example.Orders - order ${String(d.roll(90_000))} shipped in ${String(d.roll(90))} ms`,
  (d) =>
    `${stamp(d)} [${String(d.roll(9_000))}] LOG:  checkpoint complete: wrote ${String(d.roll(900))} buffers; sync=0.0${String(d.roll(9))} s`,
  (d) =>
    `[${String(d.roll(90_000))}.${String(d.roll(900_000))}] eth0: link becomes ready, mac ${hex(d, 2)}:${hex(d, 2)}:${hex(d, 2)}`,
  (d) =>
    `${syslog(d)} Accepted publickey for deploy from ${ip(d)} port ${String(d.roll(60_000))} ssh2: ED25519 SHA256:${id(d)}`,
  (d) => `${syslog(d)} Failed password for invalid user admin from ${ip(d)} port ${String(d.roll(60_000))} ssh2`,
  (d) => `Removed /var/log/app/${unit(d)}-${hex(d, 7)}.log.${String(d.roll(9))}.gz (${String(d.roll(900))} MB)`,
  (d) => `sha256:${hex(d, 64)} pulled image registry.example/${unit(d)}:1.${String(d.roll(40))}.0`,
  (d) => `    at process (/srv/app/dist/orders.js:${String(d.roll(900))}:${String(d.roll(80))})`,
  (d) => `WARN token bucket of ${ip(d)} is empty, ${String(d.roll(90))} requests delayed`,
  (d) => `password of user ${unit(d)} expires in ${String(d.roll(90))} days`,
  (d) => `loaded 3 secrets and ${String(d.roll(90))} tokens from the store, commit ${hex(d, 40)}`,
  (d) => `max_tokens: ${String(d.roll(4_000))} token_count=${String(d.roll(900))}`,
  (d) => `mounted /dev/sda1 on /data, ${String(d.roll(100))}% used, inode ${String(d.roll(1e9))}`,
  (d) =>
    `upstream timed out (110: Connection timed out) while reading response header, client: ${ip(d)}, server: shop.example`,
  (d) => `http://${ip(d)}:8080/healthz answered 200 in ${String(d.roll(900))} ms`,
  (d) => `cron: (root) CMD (test -x /usr/sbin/anacron || run-parts --report /etc/cron.daily) ${String(d.roll(90))}`,
];

/**
 * Lines that all speak of secrets and hold none, as programs print them: what counts or measures tokens, names the file of a
 * password, says that there is none, or just has the word before a colon.
 */
export function createTalkingLine(dice: Dice): string {
  return dice.pick(TALKERS)(dice);
}

const TALKERS: readonly ((dice: Dice) => string)[] = [
  (d) => `{"usage":{"prompt_tokens":${String(d.roll(9_000))},"completion_tokens":${String(d.roll(900))}}}`,
  (d) => `tokens: ${String(d.roll(9_000))}, secrets: ${String(d.roll(90))}`,
  (d) => `session token_ttl=${String(d.roll(3_600))}s refreshTokenTimeout: ${String(d.roll(60))}m`,
  (d) => `password_min_length = ${String(8 + d.roll(20))}, password_max_age: ${String(d.roll(365))}d`,
  (d) => `vault: secret_version=${String(d.roll(40))} read from /run/${unit(d)}`,
  (d) => `reading --password-file /run/secrets/${unit(d)} and token_path=/var/lib/${unit(d)}/token`,
  (d) => `${unit(d)}: password=null token=none api_key="" secret: ********`,
  (d) => `{"user":"${unit(d)}","password":"[redacted]","has_token":true,"secret":false}`,
  (d) => `${syslog(d)} using_token: yes, require_password: no`,
  (d) => `${stamp(d)} ERROR invalid token: ${d.pick(['expired', 'malformed', 'revoked'])}`,
  (d) => `SyntaxError: unexpected token: ${d.pick([')', '}', 'identifier', 'EOF'])} at line ${String(d.roll(900))}`,
  (d) => `Secret: ${unit(d)}/web-tls was created in namespace ${unit(d)}`,
];
