import { join } from 'node:path';

export const SERVER = 'web-1';

export interface PlaybookDocument {
  name: string;
  params?: Readonly<Record<string, object>>;
  [key: string]: unknown;
}

const GATED_STEP = join(import.meta.dirname, '..', 'fixtures', 'chaos', 'step.mjs');

/** Three that tell apart what happens: one that leaves a file, one that fails, one that waits to be let go. */
export function describePlaybooks(workDir: string): PlaybookDocument[] {
  const file = { type: 'path', within: [workDir], required: true };
  return [
    {
      name: 'touch-file',
      title: 'Leave a file',
      risk: 'low',
      params: { file },
      timeout: '30s',
      steps: [{ run: ['/usr/bin/touch', '${file}'] }],
    },
    {
      name: 'fail-always',
      title: 'Fail',
      risk: 'low',
      timeout: '30s',
      steps: [{ run: ['/usr/bin/false'] }],
    },
    {
      name: 'gated-repair',
      title: 'A repair that waits at a gate',
      risk: 'low',
      params: { marker: file, gate: file },
      timeout: '5m',
      steps: [{ run: [process.execPath, GATED_STEP, '${marker}', '${gate}'] }],
    },
  ];
}
