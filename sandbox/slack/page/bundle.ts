import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface BuiltPage {
  script: string;
  style: string;
}

let built: Promise<BuiltPage> | undefined;

/** The page's script and style, bundled at the first call of this process. */
export function buildPage(): Promise<BuiltPage> {
  built ??= bundle();
  return built;
}

async function bundle(): Promise<BuiltPage> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('app.tsx', import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
  });
  const blocksStyle = createRequire(import.meta.url).resolve('slack-blocks-to-jsx/dist/style.css');
  const own = await readFile(new URL('app.css', import.meta.url), 'utf8');
  return { script: result.outputFiles[0]?.text ?? '', style: `${await readFile(blocksStyle, 'utf8')}\n${own}` };
}
