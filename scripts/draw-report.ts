/**
 * Draws docs/images/report-light.png and report-dark.png: the report of the first example's rehearsal, by chromium.
 *
 * A picture has the times of its run, so that no two are alike: the build does not draw them. Draw them again when the report has changed.
 */
import { spawnSync } from 'child_process';
import { mkdtempSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { chromium } from 'playwright-core';

const ROOT = join(__dirname, '..');
/** What a page shows without scrolling. */
const SIZE = { width: 1100, height: 1500 };

async function draw(): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), 'report-'));
  try {
    const { stdout, stderr } = spawnSync('npm', ['run', '--silent', 'rehearse', '--', '--state', state], { cwd: ROOT, encoding: 'utf8' });
    const report = /^report +(.*)$/m.exec(stdout)?.[1];
    if (report === undefined) throw new Error(`the rehearsal left no report:\n${stdout}${stderr}`);
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ colorScheme, viewport: SIZE });
      await page.goto(`file://${report}`);
      await page.screenshot({ path: join(ROOT, `docs/images/report-${colorScheme}.png`) });
    }
    await browser.close();
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

void draw();
