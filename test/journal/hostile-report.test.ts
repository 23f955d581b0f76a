import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser, chromium } from 'playwright-core';
import { reportOf } from '../../src/journal/report/report';
import { HOSTILE, hostileRun } from '../support/hostile-run';

jest.setTimeout(120_000);

const directory = mkdtempSync(join(tmpdir(), 'report-'));
const path = join(directory, 'report.html');
let browser: Browser;
beforeAll(async () => {
  writeFileSync(path, reportOf(hostileRun()));
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
});
afterAll(async () => {
  await browser.close();
  rmSync(directory, { recursive: true });
});

/** Elements that the report has no use for. */
const FORBIDDEN = 'script, img, iframe, object, embed, link, base, form, a, body h1 + h1, meta[http-equiv]:not([http-equiv="Content-Security-Policy"])';

/** Attributes that run a script. */
const HANDLERS = '[...document.querySelectorAll("*")].flatMap(({ attributes }) => [...attributes].map(({ name }) => name)).filter((name) => name.startsWith("on"))';

/** Elements that reach beyond the page and are in no part of it that scrolls. */
const OVERFLOWING = `[...document.querySelectorAll('body *')].filter((element) => {
  if (element.closest('svg') || element.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let part = element.parentElement; part; part = part.parentElement) if (['auto', 'scroll'].includes(getComputedStyle(part).overflowX)) return false;
  return true;
}).map((element) => element.outerHTML.slice(0, 100))`;

/** Parts that scroll sideways, other than preformatted text and tables. */
const SCROLLING = '[...document.querySelectorAll("body *")].filter((element) => element.scrollWidth > element.clientWidth + 1'
  + ' && ["auto", "scroll"].includes(getComputedStyle(element).overflowX) && !["PRE"].includes(element.tagName) && element.className !== "wide").map(({ outerHTML }) => outerHTML.slice(0, 100))';

describe.each([['light', 390], ['light', 1_200], ['dark', 390], ['dark', 1_200]] as const)('a report of hostile text, %s, %d pixels wide', (colorScheme, width) => {
  test('runs nothing, fetches nothing and fits the page', async () => {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
    await page.goto(`file://${path}`);
    await page.evaluate('document.querySelectorAll("details").forEach((element) => element.open = true)');

    expect([requests, complaints]).toEqual([[`file://${path}`], []]);
    expect(await page.title()).toContain('<script>');
    expect(await page.locator(FORBIDDEN).count()).toBe(0);
    expect(await page.evaluate(HANDLERS)).toEqual([]);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await page.locator('.bar').count()).toBe(84);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(await page.evaluate(OVERFLOWING)).toEqual([]);
    expect(await page.evaluate(SCROLLING)).toEqual([]);
    await page.close();
  });
});

test('characters that change the direction of text do not reach what follows', async () => {
  const page = await browser.newPage({ viewport: { width: 1_200, height: 900 } });
  await page.goto(`file://${path}`);
  const text = await page.evaluate('document.body.innerText') as string;
  // Each is shown as what it is.
  expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  expect(text).toContain('[U+202E]');
  expect(text).toContain('مرحبا بالعالم');
  expect(text).toContain('你好，世界');
  await page.close();
});

test('text is shown as it was, without colours and control characters', async () => {
  const page = await browser.newPage({ viewport: { width: 1_200, height: 900 } });
  await page.goto(`file://${path}`);
  const text = await page.evaluate('document.querySelector("pre.text").textContent') as string;
  expect(HOSTILE).toContain('\u001b');
  expect(text).toContain('<script>document.title = "owned"; fetch("https://example.invalid/")</script>');
  expect(text).toContain('red');
  expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
  await page.close();
});
