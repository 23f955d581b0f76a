import { writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { OutputFile } from '../../src/agent/runner/output-file';

test('the output ends with the program, although a process that cannot be found writes faster than it is read', async () => {
  const file = await OutputFile.create(tmpdir());
  try {
    writeSync(file.descriptor, 'of the program');
    const seen: string[] = [];
    await file.follow(Promise.resolve(), (chunk) => {
      seen.push(chunk.toString());
      if (seen.length > 10) throw new Error('it does not end');
      writeSync(file.descriptor, 'of another');
    });
    expect(seen[0]).toBe('of the program');
    expect(seen.length).toBeLessThanOrEqual(2);
  } finally {
    await file.close();
  }
});
