import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { anchorsIn, withoutCode } from '../support/anchors';

const ROOT = join(__dirname, '../..');
const PAGES = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\0').filter((page) => page !== '' && page !== 'API.md' && existsSync(join(ROOT, page)));

/** The anchors of a page. */
const anchorsOf = (page: string) => anchorsIn(readFileSync(join(ROOT, page), 'utf8'));

test.each(PAGES)('every link of %s has a target', (page) => {
  const links = [...withoutCode(readFileSync(join(ROOT, page), 'utf8')).matchAll(/\]\(([^)\s]+)\)|\bsrc(?:set)?="([^"]+)"/g)].map(([, link, source]) => link ?? source);

  expect(links.filter((link) => !/^(https?|mailto):/.test(link)).filter((link) => {
    const [path, anchor] = link.split('#');
    const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
    return !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
  })).toEqual([]);
});
