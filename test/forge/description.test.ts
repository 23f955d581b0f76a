import { descriptionOf } from '../../src/forge/publish/description';

const RUN = { id: 'run-1', session: { id: 's'.repeat(33) }, branch: 'agent/a' };
const LOOP = { next: 'GO_ON', round: 0, losses: 0, rebases: 0, base: 'b', gates: [] };

const descriptionWith = (execution: string, operate?: object) => descriptionOf({
  execution, config: { name: 'App/Loop', ...operate === undefined ? {} : { operate } }, state: { prompt: 'Fix it', run: RUN, loop: LOOP },
} as never, { seconds: 1 });

test('the description of a pull request links to the report of the run in the bucket of the loop', () => {
  const artifacts = { bucket: 'reports', prefix: 'team (a)/' };
  const text = descriptionWith('arn:aws:states:eu-west-1:123456789012:execution:Runs:fix-1', { artifacts });
  const [, url] = /\[report\]\(([^)]*)\)/.exec(text)!;
  const { hostname, pathname, searchParams } = new URL(url);
  expect([hostname, pathname]).toEqual(['eu-west-1.console.aws.amazon.com', '/s3/object/reports']);
  expect([...searchParams]).toEqual([['region', 'eu-west-1'], ['prefix', 'team (a)/fix-1/report.html']]);
});

test.each([
  ['aws-cn', 'cn-north-1', 'console.amazonaws.cn'],
  ['aws-us-gov', 'us-gov-west-1', 'console.amazonaws-us-gov.com'],
])('the links are to the console of the partition %s', (partition, region, host) => {
  const text = descriptionWith(`arn:${partition}:states:${region}:123456789012:execution:Runs:fix-1`, { artifacts: { bucket: 'reports', prefix: '' } });
  expect(text).toContain(`[execution](https://${host}/states/home?region=${region}#`);
  expect(text).toContain(`[report](https://${host}/s3/object/reports?region=${region}&prefix=fix-1%2Freport.html)`);
});

test.each([undefined, {}, { events: 'default' }])('a loop without artifacts has no report to link to (%j)', (operate) => {
  expect(descriptionWith('arn:aws:states:eu-west-1:123456789012:execution:Runs:fix-1', operate)).not.toContain('report');
});
