import type { Dice } from './seeded.ts';

/** Made up: of the form of a real one, and of nobody. `line` is how a program prints it. */
export interface SyntheticSecret {
  kind: string;
  /** What must not leave the server. */
  secret: string;
  line: string;
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const UPPER = ALPHANUMERIC.slice(0, 26) + ALPHANUMERIC.slice(52);

function letters(dice: Dice, count: number, from = ALPHANUMERIC): string {
  return Array.from({ length: count }, () => from[dice.roll(from.length)]).join('');
}

type Maker = (dice: Dice) => { secret: string; line: string };

const bare =
  (make: (dice: Dice) => string): Maker =>
  (dice) => {
    const secret = make(dice);
    return {
      secret,
      line: dice.pick([`${secret}`, `using ${secret} now`, `{"value":"${secret}"}`, `key is '${secret}'.`]),
    };
  };

const named =
  (write: (secret: string, dice: Dice) => string): Maker =>
  (dice) => {
    const secret = letters(dice, 8 + dice.roll(40));
    return { secret, line: write(secret, dice) };
  };

const NAMES = [
  'password',
  'PASSWORD',
  'db_passwd',
  'api_key',
  'API-KEY',
  'apikey',
  'client_secret',
  'AUTH_TOKEN',
  'private_key',
  'accessKey',
];

export const SECRET_KINDS: Readonly<Record<string, Maker>> = {
  'private key': (dice) => {
    const body = Array.from({ length: 3 + dice.roll(20) }, () => letters(dice, 64));
    const name = dice.pick(['PRIVATE KEY', 'RSA PRIVATE KEY', 'OPENSSH PRIVATE KEY', 'EC PRIVATE KEY']);
    return { secret: body[1] ?? '', line: `-----BEGIN ${name}-----\n${body.join('\n')}\n-----END ${name}-----` };
  },
  JWT: bare((dice) => `eyJ${letters(dice, 20)}.${letters(dice, 60)}.${letters(dice, 43)}`),
  'AWS key id': bare((dice) => `${dice.pick(['AKIA', 'ASIA'])}${letters(dice, 16, UPPER)}`),
  'AWS secret key': named((secret) => `aws_secret_access_key = ${secret}`),
  'Google API key': bare((dice) => `AIza${letters(dice, 35)}`),
  'Google OAuth token': bare((dice) => `ya29.${letters(dice, 60)}`),
  'GitHub token': bare((dice) => `${dice.pick(['ghp', 'gho', 'ghu', 'ghs', 'ghr'])}_${letters(dice, 36)}`),
  'GitHub fine-grained token': bare((dice) => `github_pat_${letters(dice, 22)}_${letters(dice, 59)}`),
  'Slack token': bare(
    (dice) => `${dice.pick(['xoxb', 'xoxp', 'xapp', 'xoxs'])}-${letters(dice, 11)}-${letters(dice, 24)}`,
  ),
  'Slack webhook': (dice) => {
    const secret = letters(dice, 24);
    const address = ['https://hooks.slack', 'com/services'].join('.');
    return { secret, line: `posting to ${address}/T${letters(dice, 8, UPPER)}/B${letters(dice, 8, UPPER)}/${secret}` };
  },
  'password of a URL': named(
    (secret, dice) => `${dice.pick(['postgres', 'https', 'amqp', 'redis'])}://medic:${secret}@db.example:5432/x`,
  ),
  'authorization header': named(
    (secret, dice) =>
      `${dice.pick(['Authorization: ', '> authorization: ', '"Authorization":"'])}${dice.pick(['Bearer', 'Basic', 'Token'])} ${secret}`,
  ),
  assignment: named((secret, dice) => `export ${dice.pick(NAMES)}${dice.pick(['=', ': ', ' = ', '="'])}${secret}`),
  'member of JSON': named((secret, dice) => `{"level":"info","${dice.pick(NAMES)}":"${secret}","n":1}`),
  'quoted with spaces': named((secret, dice) => `${dice.pick(NAMES)}="two words ${secret}"`),
  'member of YAML': named((secret, dice) => `  ${dice.pick(NAMES)}: '${secret}'`),
  argument: named(
    (secret, dice) =>
      `mysql ${dice.pick(['--password', '--db-password', '--token', '--client-secret', '-password'])} ${secret} -h db`,
  ),
  'argument with =': named((secret, dice) => `run --${dice.pick(['password', 'token', 'api-key'])}=${secret}`),
  'query of an address': named(
    (secret, dice) => `GET /x?a=1&${dice.pick(['access_token', 'api_key', 'token'])}=${secret}&b=2 200`,
  ),
};

/** As many, of each kind alike. */
export function createSecrets(dice: Dice, count: number): SyntheticSecret[] {
  const kinds = Object.entries(SECRET_KINDS);
  return Array.from({ length: count }, (_, index) => {
    const [kind, make] = kinds[index % kinds.length] ?? ['', bare(() => '')];
    return { kind, ...make(dice) };
  });
}
