import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { appendFile, readFile, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { stringify } from 'yaml';
import { openBrowser } from '../support/browser.ts';
import { startMedic } from '../support/start-process.ts';
import type { StartedMedic } from '../support/start-process.ts';

const PICTURES = join(import.meta.dirname, '..', '..', 'docs', 'images');
const PATIENCE_MS = 30_000; // two busy cores
const WIDE = { width: 1180, height: 1400 };
const PHONE = { width: 390, height: 3000 }; // high enough to show the longest card whole

let medic: StartedMedic;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  // A picture shows where the trial's commands are: a folder of a plain name.
  medic = await startMedic(process.env['PICTURES'] === '1' ? { dataDir: join(tmpdir(), 'medic') } : {});
  browser = await openBrowser();
  page = await browser.newPage({ viewport: WIDE, deviceScaleFactor: 1.5, colorScheme: 'light' });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(medic.addresses.slack);
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await medic?.dispose();
}, 60_000);

/** A form that a failed test left open would stand before all that follows. */
afterEach(async () => {
  if ((await modal().count()) > 0) await closeForm();
});

const become = (id: string): Promise<void> => page.getByTestId(`person-${id}`).click();
/** Not those in threads, which are closed at first. */
const IN_CHANNEL = '.messages > div > [data-testid=message]';
const action = (name: string): string => `[data-action-id="${name}"]`;
const modal = (): Locator => page.getByTestId('modal');
const field = (name: string): Locator => modal().locator(action(name));
const submit = (): Promise<void> => page.getByTestId('modal-submit').click();
/** The newest public message that says all of this. */
const message = (...texts: (string | RegExp)[]): Locator =>
  texts
    .reduce((found, text) => found.filter({ hasText: text }), page.locator(IN_CHANNEL))
    .filter({ hasNotText: 'Only visible to you' })
    .last();
const answer = (text: string | RegExp): Locator =>
  page.locator('[data-testid=message][data-ephemeral=true]').filter({ hasText: text }).last();

async function closeForm(): Promise<void> {
  await page.getByTestId('modal-close').click();
  await modal().waitFor({ state: 'detached' });
}

async function type(text: string): Promise<void> {
  await page.getByTestId('composer').fill(text);
  await page.getByTestId('send').click();
}

/** Types into a searched menu and takes the first line of that name. */
async function choose(actionId: string, text: string): Promise<void> {
  await field(actionId).fill(text);
  await modal().getByRole('option', { name: text }).first().click();
}

/** Only where pictures are asked for: a test run leaves the tree as it was. PICTURES_TO=FOLDER takes them in every light. */
async function photograph(what: Locator, name: string): Promise<void> {
  if (process.env['PICTURES'] === '1') {
    mkdirSync(PICTURES, { recursive: true });
    await what.screenshot({ path: join(PICTURES, `${name}.png`) });
  }
  const folder = process.env['PICTURES_TO'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await what.screenshot({ path: join(folder, `${name}-light.png`) });
  await page.emulateMedia({ colorScheme: 'dark' });
  await what.screenshot({ path: join(folder, `${name}-dark.png`) });
  await page.setViewportSize(PHONE);
  const [needed, given] = await what.evaluate((element) => [element.scrollWidth, element.clientWidth]);
  expect({ name, needed }).toEqual({ name, needed: given });
  await what.screenshot({ path: join(folder, `${name}-phone-dark.png`) });
  await page.emulateMedia({ colorScheme: 'light' });
  await what.screenshot({ path: join(folder, `${name}-phone.png`) });
  await page.setViewportSize(WIDE);
}

describe('asking', () => {
  test('from a message: its words are the reason, the inputs are those of the playbook, and what would run is shown', async () => {
    await become('U0EVE');
    await type('The till on web-2 answers nobody since nine.');
    await become('U0ANA');
    const said = message('answers nobody since nine');
    await said.getByTestId('more-actions').click();
    await page.getByTestId('shortcut-medic_ask_message').click();
    await modal().waitFor();
    await field('playbook').selectOption('drain-service');
    await field('param_seconds').waitFor();
    expect(await field('reason').inputValue()).toContain('answers nobody since nine');
    await field('param_service').fill('till');
    await field('param_seconds').fill('8');
    await choose('medic_server_options', 'web-2');
    await modal().getByText('--seconds=8').first().waitFor();
    await photograph(modal(), 'slack-form-request');
    await closeForm();
  }, 120_000);

  test('from anywhere, by the shortcut beside the text', async () => {
    await page.getByTestId('shortcuts').click();
    await page.getByTestId('shortcut-medic_ask').click();
    await modal().waitFor();
    await field('playbook').selectOption('check-service');
    await field('param_service').fill('shop');
    await choose('medic_server_options', 'web-1');
    await modal()
      .getByText(/nobody|no approval/i)
      .first()
      .waitFor();
    await photograph(modal(), 'slack-form-no-approval');
    await submit();
    await modal().waitFor({ state: 'detached' });
    await message('check-service on web-1', /completed/).waitFor();
  }, 120_000);
});

describe('deciding', () => {
  test('an approval that asks for the name of the server and a reason, then the story to its end', async () => {
    await become('U0ANA');
    await type('/remediate drain-service web-1 service=shop seconds=9 verbose=true reason="the shop answers slowly"');
    const card = message('drain-service', 'the shop answers slowly');
    await card.locator(action('medic_approve')).waitFor();
    await photograph(card, 'slack-card-pending');
    await card.locator(action('medic_approve')).click();
    await answer(/yourself|may not|role/).waitFor();
    await photograph(answer(/yourself|may not|role/), 'slack-answer-refused');

    await become('U0BOB');
    await card.locator(action('medic_approve')).click();
    await modal().waitFor();
    await field('confirm_server').fill('web-2');
    await field('reason').fill('Traffic is low now.');
    await submit();
    await modal().locator('.field-error').first().waitFor();
    await photograph(modal(), 'slack-form-confirm');
    await field('confirm_server').fill('web-1');
    await submit();
    await modal().waitFor({ state: 'detached' });
    await card.getByText(/is running at step 1 of/).waitFor();
    await become('U0ANA');
    await type('/remediate drain-service web-1 service=shop seconds=0 reason="and once more"');
    const second = message('and once more');
    await second.locator(action('medic_cancel')).waitFor();
    await photograph(card, 'slack-card-running');
    await become('U0CID');
    await second.locator(action('medic_approve')).click();
    await field('confirm_server').fill('web-1');
    await field('reason').fill('As bob said.');
    await submit();
    await second.getByText('Queued behind').waitFor();
    await photograph(second, 'slack-card-queued');
    await card
      .getByText(/has completed/)
      .first()
      .waitFor();
    await photograph(card, 'slack-card-completed');
    const replies = repliesTo('the shop answers slowly');
    await replies.locator('summary').click();
    await replies.getByText('left for what it is doing').first().waitFor();
    await photograph(replies, 'slack-thread-output');
  }, 180_000);

  test('a critical one wants two people of different groups, each with a code from their phone', async () => {
    await become('U0ANA');
    await type('/remediate reset-service web-2 service=till reason="the till is stuck"');
    const card = message('reset-service', 'the till is stuck');
    await card.locator(action('medic_approve')).waitFor();
    await approveCritical('U0MIA', 'mia', card);
    await card
      .getByText(/1 of 2/)
      .first()
      .waitFor();
    await photograph(card, 'slack-card-one-of-two');
    await approveCritical('U0CID', 'cid', card, 'slack-form-code');
    await card
      .getByText(/has completed/)
      .first()
      .waitFor();
  }, 180_000);

  test('an admin may go past the rule, with a reason, and the channel is told', async () => {
    await become('U0ANA');
    await type('/remediate reset-service web-1 service=shop reason="the night shift is alone"');
    const card = message('reset-service', 'the night shift is alone');
    await become('U0MIA');
    const menu = card.locator(action('medic_more'));
    const value = await menu.locator('option[value^=break_glass]').getAttribute('value');
    await menu.selectOption(value);
    await field('confirm_server').fill('web-1');
    await field('reason').fill('Nobody else is awake, and the shop is down.');
    await photograph(modal(), 'slack-form-break-glass');
    await submit();
    await modal().waitFor({ state: 'detached' });
    const told = message('mia used break glass', 'Nobody else is awake');
    await told.waitFor();
    await photograph(told, 'slack-notice-break-glass');
    await card
      .getByText(/has completed/)
      .first()
      .waitFor();
  }, 120_000);

  test('a rejection with its reason, an approval with a comment, and a withdrawal', async () => {
    await become('U0BOB');
    await type('/remediate pause web-2 for 2h reason="a release is going out"');
    await answer(/paused/).waitFor();
    await photograph(answer(/paused/), 'slack-answer-paused');
    await become('U0ANA');
    await type('/remediate restart-service web-2 service=till reason="it is slow"');
    const first = message('it is slow');
    await first.locator(action('medic_reject')).waitFor();
    await photograph(first, 'slack-card-paused');
    await become('U0CID');
    await first.locator(action('medic_reject')).click();
    await field('reason').fill('Not during the release, please.');
    await photograph(modal(), 'slack-form-reject');
    await submit();
    await first.getByText('was rejected by').first().waitFor();
    await photograph(first, 'slack-card-rejected');

    await become('U0ANA');
    await type('/remediate restart-service web-2 service=till reason="it is slower"');
    const second = message('it is slower');
    await become('U0BOB');
    await second.locator(action('medic_more')).selectOption({ label: 'Approve with a comment …' });
    await field('reason').fill('The release is through.');
    await photograph(modal(), 'slack-form-comment');
    await submit();
    await second
      .getByText(/has completed/)
      .first()
      .waitFor();

    await become('U0ANA');
    await type('/remediate restart-service web-2 service=till reason="just in case"');
    const third = message('just in case');
    await third.locator(action('medic_cancel')).click();
    await third.getByText('was cancelled by').first().waitFor();
    await photograph(third, 'slack-card-cancelled');
  }, 180_000);
});

describe('afterwards', () => {
  test('a failure is a message of its own, with what to do next', async () => {
    await become('U0ANA');
    await type('/remediate fail-on-purpose web-1 reason="to see it"');
    const about = page
      .locator(IN_CHANNEL)
      .filter({ hasText: 'fail-on-purpose on web-1' })
      .filter({ hasNotText: 'Only visible' });
    await about.nth(1).waitFor();
    await about.nth(0).getByText('has failed').first().waitFor();
    await photograph(about.nth(0), 'slack-card-failed');
    await photograph(about.nth(1), 'slack-notice-failed');
    await about.nth(1).locator(action('medic_ask_again')).click();
    await field('playbook').waitFor();
    expect(await field('playbook').inputValue()).toBe('fail-on-purpose');
    await closeForm();
  }, 120_000);

  test('lists are tables, and why explains', async () => {
    await become('U0ANA');
    await type('/remediate restart-service web-2 service=till reason="for the list"');
    const card = message('for the list');
    await card.locator(action('medic_approve')).waitFor();
    for (const [verb, words] of [
      ['servers', '2 servers'],
      ['pending', /wait for approval|waits for approval/],
      ['history', 'The latest actions'],
      ['help', 'This is what I understand'],
    ] as const) {
      await type(`/remediate ${verb}`);
      await answer(words).waitFor();
      await photograph(answer(words), `slack-list-${verb}`);
    }
    const id = /id is ([0-9a-f]{8})/i.exec(await answer(/id is [0-9a-f]{8}/i).innerText())?.[1] ?? '';
    const answers = page.locator('[data-testid=message][data-ephemeral=true]');
    const before = await answers.count();
    await type(`/remediate why ${id}`);
    await answers.nth(before).waitFor();
    await photograph(answers.nth(before), 'slack-why');
    await card.locator(action('medic_details')).click();
    await answer('Playbook digest').waitFor();
    await photograph(answer('Playbook digest'), 'slack-details');
  }, 120_000);

  test('the Home shows what waits for the person who looks, and the app tells the requester how it ended', async () => {
    await become('U0BOB');
    await page.getByTestId('home-tab').click();
    const home = page.getByTestId('home');
    await home.getByText('Waits for you', { exact: true }).waitFor();
    await home.getByText('for the list').waitFor();
    await photograph(home.locator('.blocks').first(), 'slack-home');
    await home.locator(action('medic_approve')).last().click();
    await become('U0ANA');
    await page.getByTestId('channel-D0ANA').click();
    await page.getByTestId('message').last().waitFor();
    await page.getByTestId('message').last().getByRole('link', { name: 'Open the card' }).waitFor();
    await photograph(page.getByTestId('message').last(), 'slack-private-outcome');
    await page.getByTestId('channel-C0MEDIC').click();
  }, 120_000);
});

describe('a storm', () => {
  test('from the fifth request of one playbook on, one card lists them: some are approved, the rest is rejected', async () => {
    const batch = await askOften('restart-service');
    await photograph(batch, 'slack-card-batch');
    await become('U0CID');
    await batch.locator(action('medic_batch_select')).click();
    await modal().waitFor();
    await modal().getByRole('checkbox').nth(0).check();
    await modal().getByRole('checkbox').nth(1).check();
    await photograph(modal(), 'slack-form-batch');
    await submit();
    await modal().waitFor({ state: 'detached' });
    await batch.getByText(/2 completed/).waitFor();
    await photograph(batch, 'slack-card-batch-some');
    await batch.locator(action('medic_batch_reject')).click();
    await modal().waitFor();
    await field('reason').fill('One restart is enough.');
    await photograph(modal(), 'slack-form-batch-reject');
    await submit();
    await modal().waitFor({ state: 'detached' });
    await batch.locator(action('medic_batch_reject')).waitFor({ state: 'detached' });
    await photograph(batch, 'slack-card-batch-rejected');
  }, 180_000);

  test('all of them are approved with one click', async () => {
    const batch = await askOften('check-service');
    await become('U0BOB');
    await batch.locator(action('medic_batch_approve')).click();
    await answer(/\d approved/).waitFor();
    await photograph(answer(/\d approved/), 'slack-answer-batch');
    await batch.getByText(/: \d+ completed\./).waitFor();
    await photograph(batch, 'slack-card-batch-approved');
  }, 180_000);
});

describe('what the owner of a sandbox changes', () => {
  beforeAll(async () => {
    await medic.stop();
    await shortenWaits();
    await addPlaybookThatReadsALog();
    medic = await startMedic({ dataDir: medic.dataDir });
    await page.goto(medic.addresses.slack);
  }, 120_000);

  test('a long output is a file in the thread', async () => {
    await become('U0ANA');
    await type('/remediate read-log web-1 reason="who asked the shop?"');
    const card = message('read-log on web-1', /has completed/);
    await card.waitFor();
    const replies = repliesTo('who asked the shop?');
    await replies.locator('summary').click();
    await replies.getByText('Output of read-log').waitFor();
    await photograph(
      replies.getByTestId('message').filter({ hasText: 'Output of read-log' }).last(),
      'slack-thread-file',
    );
  }, 120_000);

  test('a ladder reminds in the thread, writes to who may decide, and ends as the rule says', async () => {
    await become('U0ANA');
    await type('/remediate drain-service web-1 service=shop reason="is anybody there?"');
    const replies = repliesTo('is anybody there?');
    await replies.locator('summary').click();
    await replies.getByText(/Still waiting/).waitFor();
    await photograph(replies, 'slack-thread-reminder');
    await become('U0BOB');
    await page.getByTestId('channel-D0BOB').click();
    const ask = page.getByTestId('message').filter({ hasText: 'You may decide this' }).last();
    await ask.waitFor();
    await photograph(ask, 'slack-private-ask');
    await page.getByTestId('channel-C0MEDIC').click();
    const card = message('is anybody there?', 'was rejected by its rule');
    await card.waitFor();
    await photograph(card, 'slack-card-rejected-by-rule');
  }, 120_000);

  test('an approval that nobody gives expires, which is told in a message of its own', async () => {
    await become('U0ANA');
    const logs = join(await realpath(join(medic.dataDir, 'trial')), 'logs', 'web-2');
    await type(`/remediate clear-logs web-2 path=${logs} reason="nobody looks"`);
    const about = page.locator(IN_CHANNEL).filter({ hasText: 'has expired' }).filter({ hasNotText: 'Only visible' });
    await about.nth(1).waitFor();
    await photograph(message('nobody looks', 'has expired'), 'slack-card-expired');
    await photograph(about.last(), 'slack-notice-expired');
  }, 180_000);
});

const REASONS = ['till is slow', 'pages time out', 'queue is growing', 'till hangs', 'no receipts', 'nobody can pay'];

/** Enough requests for a shared card, on a server that is paused; resolves with the card that lists the last of them. */
async function askOften(playbook: string): Promise<Locator> {
  await become('U0ANA');
  const answers = answer(/id is/);
  for (const [index, reason] of [...REASONS, 'alarm again', 'and again'].entries()) {
    await type(`/remediate ${playbook} web-2 service=till reason="${reason}"`);
    if (index === 0) await answers.waitFor();
  }
  const batch = message(`requests to run ${playbook}`, 'and again');
  await batch.locator(action('medic_batch_select')).waitFor();
  return batch;
}

/** The thread of the newest card of that reason. */
function repliesTo(reason: string): Locator {
  return page.locator(`[data-testid=message]:has-text("${reason}") + [data-testid=replies]`).last();
}

async function shortenWaits(): Promise<void> {
  const file = join(medic.dataDir, 'config', 'medic.yaml');
  const rule = /( {2}- when: \{ risk: \[high\] \}\n(?: {4}.*\n)*)/;
  const ladder =
    '    escalate:\n      - { after: 1s, remind: thread }\n      - { after: 3s, tell: approvers }\n    on_timeout: rejected\n';
  const short = (await readFile(file, 'utf8'))
    .replace(/approval_timeout: .*/, 'approval_timeout: 10s')
    .replaceAll(/^ {4}escalate:\n(?: {6}.*\n)+/gm, '')
    .replace(rule, `$1${ladder}`);
  await writeFile(file, short);
}

/** Its output is longer than a message shows. */
async function addPlaybookThatReadsALog(): Promise<void> {
  const trial = await realpath(join(medic.dataDir, 'trial'));
  const log = join(trial, 'logs', 'web-1', 'shop.log.1');
  const playbook = {
    name: 'read-log',
    title: 'Read a log',
    risk: 'low',
    timeout: '30s',
    idempotent: true,
    steps: [{ run: ['/usr/bin/tail', '-n', '200', log] }],
  };
  const own = join(trial, 'web-1', 'playbooks');
  await writeFile(join(medic.dataDir, 'config', 'playbooks', 'read-log.yaml'), stringify(playbook));
  await writeFile(join(own, 'read-log.yaml'), stringify(playbook));
  await appendFile(join(own, 'allow.yaml'), '  read-log: {}\n');
}

async function approveCritical(user: string, name: string, card: Locator, picture?: string): Promise<void> {
  await become(user);
  await card.locator(action('medic_approve')).click();
  await modal().waitFor();
  await field('confirm_server').fill('web-2');
  await field('reason').fill('Agreed, it must be reset.');
  await field('totp').fill(await readCode(name));
  if (picture !== undefined) await photograph(modal(), picture);
  await field('totp').fill(await readCode(name));
  await submit();
  await modal().waitFor({ state: 'detached' });
}

async function readCode(person: string): Promise<string> {
  const line = page.getByTestId('side-item-authenticators').getByText(`${person}:`);
  return (await line.innerText()).replaceAll(/\D/g, '');
}
