/**
 * Draws docs/images/report-*.png: the report of the first example's rehearsal, light and dark, wide and on a phone, by chromium.
 *
 * A picture has the times of its run, so that no two are alike: the build does not draw them. Draw them again when the report has changed.
 */
import { spawnSync } from 'child_process';
import { mkdtempSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { chromium } from 'playwright-core';

const ROOT = join(__dirname, '..');
/** The pictures of each color scheme, by the end of their names: what a page shows without scrolling. */
const SIZES = { '': { width: 1100, height: 1500 }, '-narrow': { width: 390, height: 844 } } as const;

async function draw(): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), 'report-'));
  try {
    const { stdout, stderr } = spawnSync('npm', ['run', '--silent', 'rehearse', '--', '--state', state], { cwd: ROOT, encoding: 'utf8' });
    const report = /^report +(.*)$/m.exec(stdout)?.[1];
    if (report === undefined) throw new Error(`the rehearsal left no report:\n${stdout}${stderr}`);
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const [end, viewport] of Object.entries(SIZES)) {
        const page = await browser.newPage({ colorScheme, viewport });
        await page.goto(`file://${report}`);
        await page.screenshot({ path: join(ROOT, `docs/images/report-${colorScheme}${end}.png`) });
      }
    }
    await browser.close();
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

void draw();
