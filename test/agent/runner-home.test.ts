import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { movedHome, ownDirectory, withHome } from '../../src/agent/runner/home';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'home-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const own = () => join(root, `workbench-agent-${process.getuid!()}`);

test('a home that can be written is kept', () => {
  const environment = { HOME: root, PATH: '/bin' };
  expect(withHome(environment, root)).toBe(environment);
});

test.each([undefined, '/no/such/home'])('a home that is not there (%s) is replaced by one on ephemeral disk', (HOME) => {
  const { HOME: home, PATH } = withHome({ HOME, PATH: '/bin' }, root);
  expect([home, PATH]).toEqual([join(own(), 'home'), '/bin']);
  expect(existsSync(home!)).toBe(true);
});

test('without any home, programs get what they had', () => {
  const file = join(root, 'file');
  mkdirSync(file);
  symlinkSync('/dev/null', join(file, 'temporary'));
  const environment = { PATH: '/bin' };
  expect(withHome(environment, join(file, 'temporary'))).toBe(environment);
});

test('the configuration of AWS and git stays that of the user, unless a variable names another one', () => {
  expect(movedHome('/new', {})).toEqual({ HOME: '/new' });
  expect(movedHome('/new', { HOME: '/old' })).toEqual({
    HOME: '/new', AWS_CONFIG_FILE: '/old/.aws/config', AWS_SHARED_CREDENTIALS_FILE: '/old/.aws/credentials', GIT_CONFIG_GLOBAL: '/old/.gitconfig',
  });
  const named = { AWS_CONFIG_FILE: '/a', AWS_SHARED_CREDENTIALS_FILE: '/b', GIT_CONFIG_GLOBAL: '/c' };
  expect(movedHome('/new', { HOME: '/old', ...named })).toEqual({ HOME: '/new', ...named });
});

test('the directory for state is the same each time, and another one if something else is there', () => {
  expect([ownDirectory(root), ownDirectory(root)]).toEqual([own(), own()]);
  rmSync(own(), { recursive: true });
  symlinkSync(root, own());
  expect(ownDirectory(root)).toMatch(new RegExp(`^${own()}-.{6}$`));
  rmSync(own());
  chmodSync(root, 0o755);
  expect(ownDirectory(join(root, 'not', 'yet', 'there'))).toBe(join(root, 'not/yet/there', `workbench-agent-${process.getuid!()}`));
});
