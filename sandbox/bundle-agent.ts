import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface AgentBundle {
  outfile: string;
  bytes: number;
  /** Sources that went in, relative to the project. */
  inputs: string[];
}

/** The agent as the one file it ships as: everything but Node itself is inside. */
export async function bundleAgent({ outfile }: { outfile: string }): Promise<AgentBundle> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL('../agent/main.ts', import.meta.url))],
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
    // yaml comes as CommonJS and asks for Node's own modules by `require`.
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire as medicCreateRequire } from 'node:module';const require = medicCreateRequire(import.meta.url);",
    },
  });
  return { outfile, bytes: readFileSync(outfile).length, inputs: Object.keys(metafile.inputs) };
}
