import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebClient } from '@slack/web-api';
import bolt from '@slack/bolt';
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { startSlackWorkspace } from '../../sandbox/slack/workspace.ts';
import type { SlackWorkspace } from '../../sandbox/slack/workspace.ts';

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">';

let workspace: SlackWorkspace;
let app: InstanceType<typeof bolt.App>;
let browser: Browser;
let client: WebClient;
let isHealthy = false;

beforeAll(async () => {
  workspace = await startSlackWorkspace({
    port: 0,
    botToken: 'xoxb-1',
    appToken: 'xapp-1',
    completions: () => Promise.resolve([{ command: '/remediate help', hint: 'what I can do' }]),
    sidePanel: {
      items: () =>
        Promise.resolve([
          { id: 'web-1', title: 'web-1', lines: [], healthy: isHealthy, buttons: [{ verb: 'mend', label: 'Mend' }] },
        ]),
      act: () => {
        isHealthy = true;
        return Promise.resolve();
      },
    },
  });
  const clientOptions = { slackApiUrl: workspace.apiUrl };
  client = new WebClient('xoxb-1', clientOptions);
  app = new bolt.App({
    token: 'xoxb-1',
    appToken: 'xapp-1',
    socketMode: true,
    clientOptions,
    logLevel: bolt.LogLevel.ERROR,
  });
  app.command('/remediate', ({ ack, command }) => ack({ text: `heard ${command.text}` }));
  app.action('approve', async ({ ack, body, client: api }) => {
    await ack();
    const click = body as unknown as { message: { ts: string }; user: { id: string } };
    await api.chat.update({ channel: 'C0MEDIC', ts: click.message.ts, text: `approved by <@${click.user.id}>` });
  });
  app.action('ask', async ({ ack, body, client: api }) => {
    await ack();
    const element = { type: 'plain_text_input' as const, action_id: 'reason' };
    const blocks = [{ type: 'input' as const, block_id: 'reason', label: plain('Why?'), element }];
    const view = {
      type: 'modal' as const,
      callback_id: 'why',
      title: plain('Reject'),
      submit: plain('Reject'),
      blocks,
    };
    await api.views.open({ trigger_id: (body as unknown as { trigger_id: string }).trigger_id, view });
  });
  app.view('why', async ({ ack, view }) => {
    const reason = view.state.values['reason']?.['reason']?.value ?? '';
    if (reason.length < 5) await ack({ response_action: 'errors', errors: { reason: 'Say more.' } });
    else await ack();
  });
  app.event('app_home_opened', async ({ event, client: api }) => {
    await api.views.publish({
      user_id: event.user,
      view: { type: 'home', blocks: [{ type: 'header', text: plain('Waiting for you') }] },
    });
  });
  await app.start();
  await workspace.waitFor((ws) => ws.connections() > 0, { what: 'the bot to connect' });
  // In a single process, closing one page ends the browser.
  const args = [
    ...chromium.args,
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ].filter((arg) => arg !== '--single-process');
  browser = await playwright.launch({ executablePath: await chromium.executablePath(), args });
}, 60_000);

afterAll(async () => {
  await browser.close();
  await app.stop();
  await workspace.stop();
});

async function open(user = 'U0ANA'): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${workspace.url}/?user=${user}`);
  await page.getByTestId('composer').waitFor();
  page.setDefaultTimeout(10_000);
  return page;
}

describe('the page', () => {
  test('says what it is, completes a command and shows the answer to that person only', async () => {
    const page = await open();
    expect(await page.getByTestId('banner').innerText()).toContain('Slack stand-in — a local sandbox, not Slack');
    await page.getByTestId('composer').pressSequentially('/rem');
    await page.keyboard.press('Tab');
    expect(await page.getByTestId('composer').inputValue()).toBe('/remediate help ');
    await page.getByTestId('send').click();
    const answer = page.locator('[data-testid=message][data-ephemeral=true]');
    await answer.getByText('heard help').waitFor();
    expect(await answer.innerText()).toContain('Only visible to you');
    await page.getByTestId('person-U0BOB').click();
    await page.locator('[data-testid=person-U0BOB][aria-pressed=true]').waitFor();
    expect(await answer.count()).toBe(0);
    await page.close();
  });

  test('clicks as another person and shows the edit live', async () => {
    const element = { type: 'button' as const, action_id: 'approve', value: 'a1', text: plain('Approve') };
    const { ts } = await client.chat.postMessage({
      channel: 'C0MEDIC',
      text: 'card',
      blocks: [{ type: 'actions', elements: [element] }],
    });
    const [bob, watcher] = [await open('U0BOB'), await open('U0CID')];
    const card = (page: Page) => page.locator(`[data-testid=message][data-ts="${String(ts)}"]`);
    await card(bob).locator('[data-action-id=approve]').click();
    await card(watcher).getByText('approved by @bob').waitFor();
    expect(await card(watcher).innerText()).toContain('(edited)');
    await Promise.all([bob.close(), watcher.close()]);
  });

  test('shows a form with its errors at the fields, and closes it when the app takes it', async () => {
    const element = { type: 'button' as const, action_id: 'ask', text: plain('Reject') };
    await client.chat.postMessage({
      channel: 'C0MEDIC',
      text: 'card',
      blocks: [{ type: 'actions', elements: [element] }],
    });
    const page = await open('U0CID');
    await page.locator('[data-action-id=ask]').click();
    const modal = page.getByTestId('modal');
    await modal.waitFor();
    await page.getByTestId('modal-submit').click();
    await page.getByTestId('error-reason').getByText('Please complete this required field.').waitFor();
    await modal.locator('[data-action-id=reason]').fill('no');
    await page.getByTestId('modal-submit').click();
    await page.getByTestId('error-reason').getByText('Say more.').waitFor();
    await modal.locator('[data-action-id=reason]').fill('not on a Friday');
    await page.getByTestId('modal-submit').click();
    await modal.waitFor({ state: 'detached' });
    await page.close();
  });

  test('shows the Home and the things beside it, live', async () => {
    const page = await open();
    await page.getByTestId('home-tab').click();
    await page.getByTestId('home').getByText('Waiting for you').waitFor();
    await page.locator('[data-testid=side-item-web-1][data-healthy=false] [data-verb=mend]').click();
    await page.locator('[data-testid=side-item-web-1][data-healthy=true]').waitFor();
    await page.close();
  });

  test('never turns content into HTML, script or a script link', async () => {
    const preformatted = {
      type: 'rich_text_preformatted' as const,
      elements: [{ type: 'text' as const, text: HOSTILE }],
    };
    await client.chat.postMessage({ channel: 'C0MEDIC', text: `raw ${HOSTILE} <javascript:window.hacked=1|tempting>` });
    await client.chat.postMessage({
      channel: 'C0MEDIC',
      text: 'blocks',
      blocks: [
        {
          type: 'section',
          text: { type: 'mrkdwn', text: `${HOSTILE} [md](javascript:window.hacked=1) *<b onclick=alert(1)>*` },
        },
        { type: 'header', text: plain(HOSTILE) },
        { type: 'markdown', text: `${HOSTILE} [md](javascript:window.hacked=1)` },
        { type: 'context', elements: [{ type: 'mrkdwn', text: HOSTILE }] },
        { type: 'rich_text', elements: [preformatted as never] },
        {
          type: 'actions',
          elements: [{ type: 'button', action_id: 'h', value: HOSTILE, text: plain(HOSTILE.slice(0, 75)) }],
        },
      ],
    });
    const page = await open();
    await page.locator('[data-action-id=h]').waitFor();
    await page.getByText('tempting').click();
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(
      await page
        .locator('[data-testid=message] script, [data-testid=message] [onerror], [data-testid=message] [onclick]')
        .count(),
    ).toBe(0);
    expect(await page.locator('[data-testid=message] a[href^="javascript"]').count()).toBe(0);
    await page.close();
  });

  test('tells the person when the bot does not answer', async () => {
    const page = await open('U0EVE');
    workspace.faults.outage(true);
    await page.getByTestId('composer').fill('/remediate help');
    await page.getByTestId('send').click();
    await page.getByTestId('notice').getByText('/remediate failed with the error "dispatch_failed"').waitFor();
    await page.getByTestId('disconnected').waitFor();
    workspace.faults.outage(false);
    await page.close();
  });
});
