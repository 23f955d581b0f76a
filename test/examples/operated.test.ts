import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

interface Resource {
  readonly Type: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as CloudFormation reads it
  readonly Properties: { readonly [name: string]: any };
}

function resourcesOfExample(): Resource[] {
  const out = mkdtempSync(join(tmpdir(), 'operated-'));
  try {
    const ts = [join(ROOT, 'node_modules/ts-node/dist/bin.js'), '--transpile-only', '--project', join(ROOT, 'tsconfig.dev.json'), 'app.ts'];
    execFileSync(process.execPath, ts, { cwd: join(ROOT, 'examples/operated'), env: { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: '{}' }, stdio: 'pipe' });
    return Object.values(JSON.parse(readFileSync(join(out, 'Operated.template.json'), 'utf8')).Resources);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** A topic that has a policy has no default policy, by which the alarms of an account may publish. */
test('the topic of the example accepts messages of its alarms and of its rule', () => {
  const resources = resourcesOfExample();
  const [topicPolicy] = resources.filter(({ Type }) => Type === 'AWS::SNS::TopicPolicy');
  const [topic] = topicPolicy.Properties.Topics;
  const alarms = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  expect(alarms).toHaveLength(5);
  for (const alarm of alarms) expect(alarm.Properties.AlarmActions).toContainEqual(topic);
  const allowed = (topicPolicy.Properties.PolicyDocument.Statement as Resource['Properties'][]).filter(({ Effect, Action }) => Effect === 'Allow' && Action === 'sns:Publish');
  expect(allowed.map(({ Principal }) => Principal.Service).sort()).toEqual(['cloudwatch.amazonaws.com', 'events.amazonaws.com']);
});
