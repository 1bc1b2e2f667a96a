import { stopKept } from './stack.ts';

async function tearDown(): Promise<void> {
  await stopKept();
}

export { tearDown as default };
