import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rehearsal } from '../../rehearsal/rehearsal';

let parent: string;
beforeEach(() => { parent = mkdtempSync(join(tmpdir(), 'state-directory-')); });
afterEach(() => rmSync(parent, { recursive: true }));

test.each([
  ['is a file', (file: string) => file],
  ['is below a file', (file: string) => join(file, 'state', 'of', 'a', 'rehearsal')],
])('fails for a state directory that %s, and says what to change', async (_, directoryOf) => {
  const file = join(parent, 'file');
  writeFileSync(file, 'text');
  const stateDirectory = directoryOf(file);
  await expect(Rehearsal.start({ assembly: 'cdk.out', stateDirectory })).rejects.toMatchObject({
    name: 'StateDirectoryError',
    message: `"stateDirectory" ${stateDirectory} cannot be written to (ENOTDIR): choose a directory that you can write to`,
  });
  expect(readdirSync(parent)).toEqual(['file']);
});
