import { join } from 'path';
import { App, Aws, DefaultStackSynthesizer, Lazy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as agentcore from 'aws-cdk-lib/aws-bedrockagentcore';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { AgentExecutionRole, AgentExecutionRoleProps, AgentRuntime } from '../../src';
import { IMAGE, messageOf, newStack } from '../support/stacks';

const ENV = { account: '123456789012', region: 'us-east-1' };
const DIRECTORY = join(__dirname, '../../examples/persistent-workspace/agent');
const IN_REGION = 'us-east-1:123456789012';

function role(stack: Stack, props: Partial<AgentExecutionRoleProps> = {}): AgentExecutionRole {
  return new AgentExecutionRole(stack, 'Role', { runtimeName: 'coder', ...props });
}

/** The template, with the partition as plain text so that ARNs can be read. */
function templateOf(stack: Stack): Template {
  return Template.fromJSON(JSON.parse(JSON.stringify(Template.fromStack(stack).toJSON(), (_, value) => {
    const parts = value?.['Fn::Join']?.[1];
    return parts?.every((part: unknown) => typeof part === 'string' || JSON.stringify(part) === '{"Ref":"AWS::Partition"}')
      ? parts.map((part: unknown) => typeof part === 'string' ? part : 'aws').join('') : value;
  })));
}

const statementsOf = (stack: Stack) => Object.values(templateOf(stack).findResources('AWS::IAM::Policy'))
  .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);

test('only the runtime with this name, in this account, may assume the role', () => {
  const stack = newStack(ENV);
  role(stack);

  templateOf(stack).hasResourceProperties('AWS::IAM::Role', {
    AssumeRolePolicyDocument: {
      Statement: [{
        Action: 'sts:AssumeRole',
        Effect: 'Allow',
        Principal: { Service: 'bedrock-agentcore.amazonaws.com' },
        Condition: {
          StringEquals: { 'aws:SourceAccount': '123456789012' },
          ArnLike: {
            'aws:SourceArn': [`arn:aws:bedrock-agentcore:${IN_REGION}:runtime/coder`, `arn:aws:bedrock-agentcore:${IN_REGION}:runtime/coder-*`],
          },
        },
      }],
    },
  });
});

test('everything that can be scoped is scoped to the one runtime, and no model may be invoked', () => {
  const stack = newStack(ENV);
  role(stack);
  const identities = `arn:aws:bedrock-agentcore:${IN_REGION}:workload-identity-directory/default`;

  expect(statementsOf(stack).map(({ Action, Resource, Condition }) => [[Action].flat(), [Resource].flat(), Condition])).toEqual([
    [
      ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
      [`arn:aws:logs:${IN_REGION}:log-group:/aws/bedrock-agentcore/runtimes/coder-*`],
      undefined,
    ],
    [['logs:DescribeLogGroups'], ['*'], undefined],
    [['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'], ['*'], undefined],
    [['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': 'bedrock-agentcore' } }],
    [
      [
        'bedrock-agentcore:GetWorkloadAccessToken', 'bedrock-agentcore:GetWorkloadAccessTokenForJWT', 'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
      ],
      [identities, `${identities}/workload-identity/coder-*`],
      undefined,
    ],
  ]);
});

test('images are pulled from the repository of all apps, or from its own repository alone if the app has a custom bootstrap', () => {
  const pulled = (synthesizer?: DefaultStackSynthesizer) => {
    const stack = new Stack(new App(), 'Stack', { env: ENV, synthesizer });
    new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromAsset(DIRECTORY, { platform: Platform.LINUX_ARM64 }) });
    return statementsOf(stack).filter(({ Action }) => [Action].flat().includes('ecr:BatchGetImage')).map(({ Resource }) => Resource);
  };

  expect(pulled()).toEqual([`arn:aws:ecr:${IN_REGION}:repository/cdk-hnb659fds-container-assets-123456789012-us-east-1`]);
  expect(pulled(new DefaultStackSynthesizer({ qualifier: 'coder' }))).toEqual([
    `arn:aws:ecr:${IN_REGION}:repository/cdk-coder-container-assets-123456789012-us-east-1`,
  ]);
});

describe('the name of the runtime', () => {
  const longest = `a${'0'.repeat(47)}`;

  test.each(['a', 'v_7', longest, Aws.STACK_NAME])('"%s" is accepted', (runtimeName) => {
    expect(role(newStack(ENV), { runtimeName }).runtimeName).toBe(runtimeName);
  });

  // Each would let other runtimes assume the role, or write to their logs.
  test.each(['', '*', 'a*', 'a-b', '7', `${longest}0`])('fails on "%s"', (runtimeName) => {
    expect(messageOf(() => role(newStack(ENV), { runtimeName }))).toBe(
      `"runtimeName" must be a name of 1 to 48 letters, digits and "_" that starts with a letter, not "${runtimeName}": ` +
      'use the name of the runtime that the role is for\n  at Stack/Role',
    );
  });
});

test('path, permissions boundary and description can be given', () => {
  const stack = newStack(ENV);
  role(stack, {
    path: '/agents/',
    permissionsBoundary: iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', 'arn:aws:iam::123456789012:policy/boundary'),
    description: 'for the coder',
  });

  templateOf(stack).hasResourceProperties('AWS::IAM::Role', {
    Path: '/agents/', PermissionsBoundary: 'arn:aws:iam::123456789012:policy/boundary', Description: 'for the coder',
  });
});

test('an image is pulled from its own repository alone', () => {
  const stack = newStack(ENV);
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'coder');
  new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromEcrRepository(repository, '1') });
  const pulls = statementsOf(stack).filter(({ Action }) => [Action].flat().some((action) => action.startsWith('ecr:')));

  expect(pulls.map(({ Action, Resource }) => [[Action].flat().sort(), Resource])).toEqual([
    [['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'], `arn:aws:ecr:${IN_REGION}:repository/coder`],
    // Amazon ECR defines no resource for this action.
    [['ecr:GetAuthorizationToken'], '*'],
  ]);
});

test('code is not pulled as an image', () => {
  const stack = newStack(ENV);
  new AgentRuntime(stack, 'Agent', {
    agentRuntimeArtifact: agentcore.AgentRuntimeArtifact.fromS3(
      { bucketName: 'code', objectKey: 'agent.zip' }, agentcore.AgentCoreRuntime.PYTHON_3_13, ['agent.py'],
    ),
  });

  expect(JSON.stringify(statementsOf(stack))).not.toContain('"ecr:');
});

describe('given to a runtime', () => {
  test('passes its name to the runtime', () => {
    const stack = newStack(ENV);
    new AgentRuntime(stack, 'Agent', { agentRuntimeArtifact: IMAGE, executionRole: role(stack) });

    templateOf(stack).hasResourceProperties('AWS::BedrockAgentCore::Runtime', { AgentRuntimeName: 'coder' });
  });

  test.each([['ours', AgentRuntime], ['the official one', agentcore.Runtime]])('keeps its own baseline: %s', (_, make) => {
    const stack = newStack(ENV);
    new make(stack, 'Agent', { runtimeName: 'coder', agentRuntimeArtifact: IMAGE, executionRole: role(stack) });

    const alone = newStack(ENV);
    role(alone);
    expect(statementsOf(stack)).toEqual(statementsOf(alone));
  });

  describe('a statement of the official baseline', () => {
    const official: iam.PolicyStatementProps = {
      sid: 'LogGroupAccess',
      actions: ['logs:DescribeLogStreams', 'logs:CreateLogGroup'],
      resources: [`arn:aws:logs:${IN_REGION}:log-group:/aws/bedrock-agentcore/runtimes/*`],
    };
    const statementsWith = (statement: iam.PolicyStatementProps) => {
      const stack = newStack(ENV);
      expect(role(stack).addToPrincipalPolicy(new iam.PolicyStatement(statement)).statementAdded).toBe(true);
      return statementsOf(stack).slice(5);
    };

    test('is left out', () => {
      expect(statementsWith(official)).toEqual([]);
    });

    test.each<[difference: string, props: Partial<iam.PolicyStatementProps>]>([
      ['another id', { sid: 'LogGroups' }],
      ['no id', { sid: undefined }],
      ['other actions', { actions: [...official.actions!, 'logs:TagResource'] }],
      ['a different effect', { effect: iam.Effect.DENY }],
      ['a different resource', { resources: [`arn:aws:logs:${IN_REGION}:log-group:/audit/*`] }],
      ['every resource', { resources: ['*'] }],
      ['further resources', { resources: [...official.resources!, `arn:aws:logs:${IN_REGION}:log-group:/audit/*`] }],
      ['the same resource in another service', { resources: [`arn:aws:events:${IN_REGION}:log-group:/aws/bedrock-agentcore/runtimes/*`] }],
      ['a resource that is a token', { resources: [Lazy.string({ produce: () => official.resources![0] })] }],
      ['a condition', { conditions: { StringEquals: { 'aws:RequestedRegion': 'us-east-1' } } }],
    ])('is added if it has %s', (_, props) => {
      expect(statementsWith({ ...official, ...props })).toHaveLength(1);
    });
  });

  test('fails for a runtime of another name', () => {
    const stack = newStack(ENV);

    expect(() => new AgentRuntime(stack, 'Agent', { runtimeName: 'other', agentRuntimeArtifact: IMAGE, executionRole: role(stack) })).toThrow(
      '"executionRole" must be for the runtime "other", not "coder": use the same "runtimeName" for both\n  at Stack/Agent',
    );
  });

  function inStacksOf(ofRole: Partial<typeof ENV>, ofRuntime: Partial<typeof ENV>) {
    const app = new App();
    const executionRole = role(new Stack(app, 'Roles', { env: ofRole }));
    return () => new AgentRuntime(new Stack(app, 'Stack', { env: ofRuntime }), 'Agent', { agentRuntimeArtifact: IMAGE, executionRole });
  }

  test.each<[difference: string, ofRuntime: typeof ENV, faults: string[]]>([
    ['another region', { ...ENV, region: 'eu-west-1' },
      ['"executionRole" must be for the region "eu-west-1", not "us-east-1": create the role in a stack of the runtime\'s region']],
    ['another account', { ...ENV, account: '999999999999' },
      ['"executionRole" must be for the account "999999999999", not "123456789012": create the role in a stack of the runtime\'s account']],
    ['another account and region', { account: '999999999999', region: 'eu-west-1' }, [
      '"executionRole" must be for the account "999999999999", not "123456789012": create the role in a stack of the runtime\'s account',
      '"executionRole" must be for the region "eu-west-1", not "us-east-1": create the role in a stack of the runtime\'s region',
    ]],
  ])('fails if the runtime is in %s', (_, ofRuntime, faults) => {
    expect(messageOf(inStacksOf(ENV, ofRuntime))).toBe([...faults, '  at Stack/Agent'].join('\n'));
  });

  test.each<[what: string, ofRole: Partial<typeof ENV>, ofRuntime: Partial<typeof ENV>]>([
    ['the same', ENV, ENV],
    ['unknown for the role', {}, ENV],
    ['unknown for the runtime', ENV, {}],
    ['partly known', { region: ENV.region }, { account: ENV.account }],
  ])('may be in another stack whose environment is %s', (_, ofRole, ofRuntime) => {
    expect(inStacksOf(ofRole, ofRuntime)).not.toThrow();
  });

  test.each([['of the role', 'coder', { runtimeName: Aws.STACK_NAME }], ['of the runtime', Aws.STACK_NAME, {}]])(
    'a name %s that is a token is not compared', (_, runtimeName, props) => {
      const stack = newStack(ENV);

      expect(() => new AgentRuntime(stack, 'Agent', { runtimeName, agentRuntimeArtifact: IMAGE, executionRole: role(stack, props) })).not.toThrow();
    });
});

test('a function, a key or a bucket can grant permissions to the role as to any other', () => {
  const stack = newStack(ENV);
  new ecr.Repository(stack, 'Cache').grantPullPush(role(stack));

  expect(statementsOf(stack)).toContainEqual(expect.objectContaining({ Action: expect.arrayContaining(['ecr:PutImage']) }));
  templateOf(stack).resourcePropertiesCountIs('AWS::IAM::Policy', { Roles: [{ Ref: Match.anyValue() }] }, 1);
});
