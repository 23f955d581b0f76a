import { useForgeLoops } from '../support/forge-loop';

const start = useForgeLoops();

test('a verified change is pushed by the publisher, and no session has a credential that writes', async () => {
  const made = await start();
  const { status, record } = await made.run();
  console.log(JSON.stringify(record, null, 1), made.loop.logs.slice(-6).join('\n'));
  expect({ status, record }).toMatchObject({ status: 'SUCCEEDED', record: { outcome: 'COMMITTED', verified: true, commit: { pushed: true } } });
  expect(made.loop.show()).toBe('right\n');
  expect(made.forge.requests.filter(({ operation }) => operation === 'push')).toHaveLength(1);
});
