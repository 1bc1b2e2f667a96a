import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { startMedic } from '../support/start-process.ts';
import type { StartedMedic } from '../support/start-process.ts';

const PICTURES = join(import.meta.dirname, '..', '..', 'docs', 'images');
const PATIENCE_MS = 30_000; // two busy cores

let medic: StartedMedic;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  medic = await startMedic(process.env['PICTURES'] === '1' ? { dataDir: join(tmpdir(), 'medic') } : {});
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 1180, height: 900 }, deviceScaleFactor: 2 });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(medic.addresses.slack);
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await medic?.dispose();
}, 60_000);

const become = (id: string): Promise<void> => page.getByTestId(`person-${id}`).click();
async function type(text: string): Promise<void> {
  await page.getByTestId('composer').fill(text);
  await page.getByTestId('send').click();
}
const cardWith = (text: string | RegExp): Locator =>
  page.getByTestId('message').filter({ hasText: text }).filter({ hasNotText: 'Only visible to you' }).last();

describe('a new user in the browser', () => {
  test('asks as one person, approves as another, and watches the card end', async () => {
    await become('U0BOB');
    await type('/remediate pause web-2 reason="deploy is running"');
    await page
      .getByText(/paused/i)
      .first()
      .waitFor();
    await page.getByTestId('side-item-till').getByRole('button', { name: 'Kill its process' }).click();
    await page.getByTestId('side-item-till').getByText('does not answer').waitFor();
    await become('U0ANA');
    await type('/remediate restart-service web-2 service=till reason="till is down"');
    const approve = page.locator('[data-action-id="medic_approve"]').last();
    await approve.waitFor();
    await photograph(cardWith('till is down'), 'card-pending');
    await approve.click();
    await page
      .getByText(/asked for this yourself|may not approve/i)
      .first()
      .waitFor();
    await become('U0BOB');
    await page.locator('[data-action-id="medic_approve"]').last().click();
    await cardWith('till is down')
      .getByText(/completed/i)
      .first()
      .waitFor();
    expect(await page.locator('[data-action-id="medic_approve"]').count()).toBe(0);
    await page.getByTestId('side-item-till').getByText('The service answers').waitFor();
    await photograph(cardWith('till is down'), 'card-completed');
  }, 120_000);

  test('shows the API and its documentation', async () => {
    const health = await fetch(`${medic.addresses.controlPlane}/healthz`);
    expect(health.status).toBe(200);
    const docs = await browser.newPage();
    await docs.goto(`${medic.addresses.controlPlane}/docs`);
    await docs.getByText('/api/v1/actions').first().waitFor({ timeout: PATIENCE_MS });
    await docs.close();
  }, 60_000);
});

describe('kill -9 of everything that npm start is', () => {
  test('loses nothing: the next start has the same cards, and the server is still paused', async () => {
    medic.process.kill('SIGKILL');
    await new Promise((resolve) => medic.process.once('close', resolve));
    medic = await startMedic({ dataDir: medic.dataDir });
    await page.goto(medic.addresses.slack);
    await cardWith('till is down')
      .getByText(/completed/i)
      .first()
      .waitFor();
    await become('U0BOB');
    await type('/remediate servers');
    await page.getByText(/web-2/).last().waitFor();
    await type('/remediate unpause web-2');
    await page
      .getByText(/is not paused any more/)
      .last()
      .waitFor();
    await become('U0ANA');
    await type('/remediate restart-service web-2 service=till reason="after the crash"');
    await cardWith('after the crash')
      .getByText(/completed/i)
      .first()
      .waitFor();
  }, 180_000);
});

/** Only where pictures are asked for: a test run leaves the tree as it was. */
async function photograph(card: Locator, name: string): Promise<void> {
  if (process.env['PICTURES'] !== '1') return;
  mkdirSync(PICTURES, { recursive: true });
  await card.screenshot({ path: join(PICTURES, `${name}.png`) });
}
