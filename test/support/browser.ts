import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** A headless Chromium that comes inside an npm package and calls nobody. */
export async function openBrowser(): Promise<Browser> {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    // with one process for all, a second page never opens
    args: [...chromium.args.filter((argument) => argument !== '--single-process'), ...quiet],
  });
}
