import * as fc from 'fast-check';
import { normalizeMountPath } from '../../src/mount/constants';
import { mountPathFaults } from '../../src/mount/mount-rules';

/** The service's own pattern and length, from its model. */
const acceptedByService = (path: string) => /^\/mnt\/[a-zA-Z0-9._-]+\/?$/.test(path) && path.length >= 6 && path.length <= 200;

/** A path of this many characters. */
const pathOf = (length: number) => '/mnt/'.padEnd(length, 'a');

const BAD_PATHS: [path: string, message: string][] = [
  ['', '"mountPath" must not be empty: use a path such as "/mnt/workspace"'],
  ['/mnt', '"mountPath" must be a directory under /mnt, not "/mnt": add a name, such as "/mnt/workspace"'],
  ['/mnt/', '"mountPath" must be a directory under /mnt, not "/mnt/": add a name, such as "/mnt/workspace"'],
  ['/mnt//', '"mountPath" must be exactly one level below /mnt, not "/mnt//": remove the other slashes'],
  ['/mnt//a', '"mountPath" must be exactly one level below /mnt, not "/mnt//a": remove the other slashes'],
  ['/mnt/a/b', '"mountPath" must be exactly one level below /mnt, not "/mnt/a/b": remove the other slashes'],
  ['/mnt/a//', '"mountPath" must be exactly one level below /mnt, not "/mnt/a//": remove the other slashes'],
  ['/mnt/../etc', '"mountPath" must be exactly one level below /mnt, not "/mnt/../etc": remove the other slashes'],
  ['mnt/a', '"mountPath" must be under "/mnt/", not "mnt/a": use a path such as "/mnt/workspace"'],
  ['/data', '"mountPath" must be under "/mnt/", not "/data": use a path such as "/mnt/workspace"'],
  ['/MNT/a', '"mountPath" must be under "/mnt/", not "/MNT/a": use a path such as "/mnt/workspace"'],
  ['/mnt/.', '"mountPath" must name a directory under /mnt, not "/mnt/.": use a path such as "/mnt/workspace"'],
  ['/mnt/..', '"mountPath" must name a directory under /mnt, not "/mnt/..": use a path such as "/mnt/workspace"'],
  ['/mnt/../', '"mountPath" must name a directory under /mnt, not "/mnt/../": use a path such as "/mnt/workspace"'],
  ['/mnt/a b', '"mountPath" must have only a-z, A-Z, 0-9, ".", "_" and "-" after "/mnt/", not "/mnt/a b": replace the other characters'],
  ['/mnt/ä', '"mountPath" must have only a-z, A-Z, 0-9, ".", "_" and "-" after "/mnt/", not "/mnt/ä": replace the other characters'],
  ['/mnt/a\n', '"mountPath" must have only a-z, A-Z, 0-9, ".", "_" and "-" after "/mnt/", not "/mnt/a\n": replace the other characters'],
  [pathOf(201), `"mountPath" must have 6 to 200 characters, not 201: shorten "${pathOf(201)}"`],
];

test.each(BAD_PATHS)('refuses %j', (path, message) => {
  expect(mountPathFaults(path)).toEqual([message]);
});

test('names the prop in the message', () => {
  expect(mountPathFaults('/data', 'mounts[2].mountPath')).toEqual([
    '"mounts[2].mountPath" must be under "/mnt/", not "/data": use a path such as "/mnt/workspace"',
  ]);
});

test.each(['/mnt/a', '/mnt/a/', '/mnt/workspace', '/mnt/...', '/mnt/.a', '/mnt/A-b_c.9', pathOf(200), `${pathOf(199)}/`])('%s is accepted', (path) => {
  expect(mountPathFaults(path)).toEqual([]);
});

/** Near misses, which a random string would hardly ever be. */
const almostMountPath = fc.tuple(
  fc.constantFrom('/mnt/', '/mnt', 'mnt/', '/MNT/', '/data/', '//mnt/', ''),
  fc.array(fc.constantFrom(...'aZ0._-/ ä\n\\*'), { maxLength: 5 }).map((characters) => characters.join('')),
  fc.constantFrom('', '/', 'a'.repeat(189), 'a'.repeat(195)),
).map((parts) => parts.join(''));

test('accepts what the service accepts, except for the two names that are not directories', () => {
  fc.assert(fc.property(fc.oneof(almostMountPath, fc.string()), (path) => {
    const isDots = ['/mnt/.', '/mnt/..'].includes(normalizeMountPath(path));
    expect(mountPathFaults(path).length === 0).toBe(acceptedByService(path) && !isDots);
  }), { numRuns: 5000 });
});

test('reports exactly one fault for each bad path', () => {
  fc.assert(fc.property(almostMountPath, (path) => {
    expect(mountPathFaults(path).length).toBeLessThanOrEqual(1);
  }), { numRuns: 1000 });
});

test.each([['/mnt/a/', '/mnt/a'], ['/mnt/a', '/mnt/a'], ['/mnt/a//', '/mnt/a/']])('removes one trailing slash: %s', (path, normalized) => {
  expect(normalizeMountPath(path)).toBe(normalized);
});
