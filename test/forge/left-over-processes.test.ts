import { useForgeLoops } from '../support/forge-loop';

const start = useForgeLoops();

test('a process that the agent left running finds the token that reads, as docs/credentials.md says, and no other secret', async () => {
  const spy = 'for i in $(seq 3000); do cat /tmp/.workbench-key-*/credential >> "$SEEN"; sleep 0.005; done';
  const made = await start({ agent: `SEEN="$PWD/../seen" setsid bash -c '${spy}' >/dev/null 2>&1 </dev/null & echo right > value.txt` });
  const result = await made.run();
  const [write, read, key] = made.secrets;
  expect([write, read]).toEqual([expect.stringMatching(/^write-/), expect.stringMatching(/^read-/)]);
  const leaks = made.leaks(result);
  expect(leaks.filter((leak) => !leak.endsWith(`/seen: ${read}`))).toEqual([]);
  expect(leaks.join('\n')).not.toMatch(new RegExp(`${write}|${key.replace(/\W/g, '\\$&')}`));
  expect(result).toMatchObject({ record: { outcome: 'COMMITTED' } });
});
