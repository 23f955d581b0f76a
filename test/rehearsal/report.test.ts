import { chromium } from 'playwright-core';
import { commandLine, WorkingCopy } from '../support/command-line';

jest.setTimeout(120_000);

const AGENT = 'prompt=$(cat); if [[ $prompt == *FAIL* ]]; then echo right > value; else echo "almost $(printf %0200d 0)" > value; fi';

/** Content of a table or a timeline that is visible only after scrolling sideways. */
const CUT = `[...document.querySelectorAll('.wide, .row, .bar, .track > span')]
  .filter((element) => element.scrollWidth > element.clientWidth + 1 || element.getBoundingClientRect().right > innerWidth)
  .map((element) => element.outerHTML.slice(0, 200))`;

test('the report of a run is readable in a browser, light and dark, narrow and wide, without a network', async () => {
  const copy = new WorkingCopy({ 'value': 'wrong\n', 'test.sh': '#!/bin/bash\n[[ $(cat value) == right ]] || { echo "FAIL: value is $(cat value)"; exit 1; }\n' });
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  try {
    const run = await commandLine('rehearse', '--repository', copy.directory, '--agent', AGENT, '--gate', 'test=./test.sh', '--prompt', 'Make it right',
      '--state', copy.state);
    const [, report] = /report +(.*)/.exec(run.stdout)!;
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [390, 1200]) {
        const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
        const requests: string[] = [];
        const complaints: string[] = [];
        page.on('request', (request) => requests.push(request.url()));
        page.on('console', (message) => complaints.push(message.text()));
        await page.goto(`file://${report}`);

        expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('COMMITTED Rehearsal/Loop');
        expect(await page.getByText('FAIL: value is almost', { exact: false }).first().isVisible()).toBe(true);
        expect(await page.locator('svg .seen rect').count()).toBeGreaterThan(8);
        expect(await page.locator('.bar').count()).toBeGreaterThan(8);
        expect(await page.evaluate(CUT)).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
        expect([requests, complaints]).toEqual([[`file://${report}`], []]);
        await page.close();
      }
    }
  } finally {
    await browser.close();
    copy.remove();
  }
});
