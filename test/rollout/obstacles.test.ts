import {
  DeleteAgentRuntimeCommand, DeleteAgentRuntimeEndpointCommand, GetAgentRuntimeEndpointCommand, UpdateAgentRuntimeEndpointCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { FaultKind } from '../../rehearsal/agentcore/faults';
import { ServerFixture } from '../support/agentcore';
import { build, startAnsweringServer } from '../support/answering-server';
import { directControlPlane } from '../support/direct-control-plane';
import { HandlerCall } from '../support/mortal';
import { invokeTest, RolloutStack, RolloutStackOptions } from '../support/rollout-stack';

let fixture: ServerFixture;
let newStack: (options?: RolloutStackOptions) => RolloutStack;

beforeAll(async () => {
  ({ fixture, newStack } = await startAnsweringServer());
});

afterEach(() => fixture.server.faults.clear());
afterAll(() => fixture.close());

type Operation = 'ListAgentRuntimeEndpoints' | 'TagResource' | 'DeleteAgentRuntimeEndpoint' | 'StopRuntimeSession' | 'ListAgentRuntimeVersions';

function refuse(operation: Operation, kind: FaultKind, times = 1): void {
  fixture.server.faults.add({ operation, at: 'beforeStart', kind, times });
}

/** Makes an operation fail, starting with a certain call of a handler. */
function refuseFrom(stack: RolloutStack, isReached: (call: HandlerCall) => boolean, operation: Operation, kind: FaultKind, times?: number): void {
  stack.afterCall = (call) => {
    if (!isReached(call)) return;
    stack.afterCall = undefined;
    refuse(operation, kind, times);
  };
}

const hasPassed = ({ operation, input }: HandlerCall) => operation === 'TagResource' && JSON.stringify(input).includes(':passed');
const warnings = ({ log }: RolloutStack) => log.filter(({ message }) => / left$|^not tidied up$/.test(message));

describe('the cleanup after the tests', () => {
  test('waits as long as the service may still answer', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    refuseFrom(stack, hasPassed, 'ListAgentRuntimeEndpoints', 'internal', 2);

    expect(await stack.deploy(build(2))).toMatchObject({ status: 'COMPLETE', endpointName: 'v2' });
    expect(stack.log).toContainEqual({
      message: 'waiting', details: { for: 'endpoints that are not kept to be removed (InternalServerException: injected: internal)' },
    });
    await stack.destroy();
  });

  test('never fails the deployment, and is logged', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    refuseFrom(stack, hasPassed, 'ListAgentRuntimeEndpoints', 'accessDenied', 100);

    expect(await stack.deploy(build(2))).toMatchObject({ status: 'COMPLETE', endpointName: 'v2' });
    expect(warnings(stack)).toEqual([{
      message: 'not tidied up', details: { error: 'Workbench.AccessDenied', reason: 'AccessDeniedException: injected: accessDenied' },
    }]);
    fixture.server.faults.clear();
    await stack.destroy();
  });

  test('is given up after the timeout, and the version is returned', async () => {
    const stack = newStack();
    for (const number of [1, 2]) await stack.deploy(build(number));
    refuse('DeleteAgentRuntimeEndpoint', 'conflict', 10_000);

    expect(await stack.deploy(build(3, { KeepEndpoints: '1', RetentionSeconds: '0', TimeoutSeconds: '300' }))).toMatchObject({ status: 'COMPLETE', endpointName: 'v3' });
    expect(warnings(stack)).toContainEqual({ message: 'endpoints left', details: { reason: 'waited 300 seconds for endpoint "v1" to be removed' } });
    fixture.server.faults.clear();
    await stack.destroy();
  });

  test('does not wait for an endpoint that somebody else is deleting', async () => {
    const stack = newStack();
    for (const number of [1, 2]) await stack.deploy(build(number));
    stack.afterCall = async (call) => {
      if (hasPassed(call)) await fixture.control.send(new DeleteAgentRuntimeEndpointCommand({ agentRuntimeId: stack.deployed!.runtimeId, endpointName: 'v1' }));
    };

    expect(await stack.deploy(build(3, { KeepEndpoints: '1', RetentionSeconds: '0' }))).toMatchObject({ status: 'COMPLETE', endpointName: 'v3' });
    expect(JSON.stringify(stack.log)).not.toContain('endpoint \\"v1\\" to be removed');
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v2', 'v3']);
    await stack.destroy();
  });

  test('removes an endpoint even if its session cannot be stopped, which is logged', async () => {
    const stack = newStack({ onDeath: 'fail' });
    await stack.deploy(build(1));
    // A dead request leaves a session, which the rollback may not stop.
    stack.afterCall = ({ operation }) => {
      if (operation !== 'InvokeAgentRuntime') return;
      stack.afterCall = undefined;
      refuse('StopRuntimeSession', 'accessDenied');
      throw new Error('killed');
    };

    expect(await stack.deploy(build(2))).toMatchObject({ status: 'ROLLBACK_COMPLETE', endpointName: 'v1' });
    expect(warnings(stack)).toEqual([{ message: 'session left', details: expect.objectContaining({ endpoint: 'v2', error: 'Workbench.AccessDenied' }) }]);
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1']);
    await stack.destroy();
  });
});

describe('an endpoint that an earlier request left in a failed state', () => {
  test.each(['CREATE_FAILED', 'DELETE_FAILED'])('%s is replaced', async (state) => {
    const stack = newStack({ onDeath: state === 'CREATE_FAILED' ? 'fail' : 'again' });
    await stack.deploy({ ...build(1), rollout: undefined });
    const { runtimeId, runtimeArn, version } = stack.deployed!;
    const operation = state === 'CREATE_FAILED' ? 'CreateAgentRuntimeEndpoint' : 'DeleteAgentRuntimeEndpoint';
    fixture.server.faults.add({ operation, at: 'beforeStart', kind: 'failTransition' });
    const properties = {
      KeepEndpoints: '4',
      RetentionSeconds: '0',
      TimeoutSeconds: '600',
      DeleteUnusedVersions: 'false',
      DrainStateMachines: [],
      DrainSeconds: '0',
      RetainEndpoints: 'false',
      RuntimeId: runtimeId,
      RuntimeArn: runtimeArn,
      RuntimeVersion: version,
    };
    stack.beforeCall = ({ operation: called }) => {
      if (state === 'CREATE_FAILED' && called === 'GetAgentRuntimeEndpoint') throw new Error('killed');
    };
    const failing = await stack.ask('Create', { ...properties, SmokeTests: build(1).rollout!.SmokeTests!.map((test) => ({ ...test, Expect: 'nothing' })) });
    expect(failing.status).toBe('FAILED');
    stack.beforeCall = undefined;
    await fixture.clock.advance(60_000);
    let deaths = 0;
    stack.afterCall = ({ operation: called }) => {
      // The next step finds an endpoint that this request is deleting.
      if (state === 'DELETE_FAILED' && called === 'DeleteAgentRuntimeEndpoint' && deaths++ === 0) throw new Error('killed');
    };

    const passing = await stack.ask('Update', { ...properties, SmokeTests: build(1).rollout!.SmokeTests! }, failing.physicalId);

    expect(passing).toMatchObject({ status: 'SUCCESS', data: { EndpointName: 'v1' } });
    const which = state === 'CREATE_FAILED' ? 'was CREATE_FAILED' : 'is DELETING';
    expect(stack.log).toContainEqual({ message: 'waiting', details: { for: `the former endpoint "v1" to be gone, which ${which}` } });
    expect((await stack.ask('Delete', { ...properties, SmokeTests: [] }, failing.physicalId)).status).toBe('SUCCESS');
    expect(await stack.endpoints()).toEqual(['DEFAULT']);
    await stack.destroy();
  });
});

describe('an endpoint that passed', () => {
  test('is not returned while somebody is deleting it, but created again and tested', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    const { physicalId, properties, runtimeId } = stack.deployed!;
    await fixture.control.send(new DeleteAgentRuntimeEndpointCommand({ agentRuntimeId: runtimeId, endpointName: 'v1' }));
    let tests = 0;
    stack.afterCall = ({ operation }) => { tests += operation === 'InvokeAgentRuntime' ? 1 : 0; };

    expect(await stack.ask('Update', { ...properties!, KeepEndpoints: '3' }, physicalId)).toMatchObject({ status: 'SUCCESS', data: { EndpointName: 'v1' } });
    expect(tests).toBe(1);
    expect(await stack.endpoints()).toEqual(['DEFAULT', 'v1']);
    await stack.destroy();
  });
});

describe('an endpoint that passed, and whose update by somebody failed', () => {
  async function changedInVain(Command: typeof UpdateAgentRuntimeEndpointCommand | typeof DeleteAgentRuntimeEndpointCommand) {
    const stack = newStack();
    await stack.deploy(build(1));
    const endpoint = { agentRuntimeId: stack.deployed!.runtimeId, endpointName: 'v1' };
    const operation = Command === UpdateAgentRuntimeEndpointCommand ? 'UpdateAgentRuntimeEndpoint' : 'DeleteAgentRuntimeEndpoint';
    fixture.server.faults.add({ operation, at: 'beforeStart', kind: 'failTransition' });
    await fixture.control.send(new Command(endpoint) as UpdateAgentRuntimeEndpointCommand);
    await fixture.clock.advance(60_000);
    const deleted: unknown[] = [];
    stack.beforeCall = ({ operation: called, input }) => {
      if (called === 'DeleteAgentRuntimeEndpoint') deleted.push(input.endpointName);
    };
    return { stack, deleted, status: async () => (await fixture.control.send(new GetAgentRuntimeEndpointCommand(endpoint))).status };
  }

  test('is returned as it is if it still serves its version', async () => {
    const { stack, deleted, status } = await changedInVain(UpdateAgentRuntimeEndpointCommand);

    expect(await stack.deploy(build(1, { KeepEndpoints: '3' }))).toMatchObject({ status: 'COMPLETE', endpointName: 'v1' });
    const others = { SmokeTests: [invokeTest({ prompt: 'ping' }, 'po')] };
    expect(await stack.deploy(build(1, others))).toMatchObject({ status: 'COMPLETE', endpointName: 'v1' });
    expect(await stack.deploy({ ...build(2), breaksLater: true })).toMatchObject({ status: 'ROLLBACK_COMPLETE', endpointName: 'v1' });
    expect([await status(), deleted]).toEqual(['UPDATE_FAILED', []]);
    stack.beforeCall = undefined;
    await stack.destroy();
  });

  test('fails the rollout if it may be partly deleted, and is not deleted', async () => {
    const { stack, deleted, status } = await changedInVain(DeleteAgentRuntimeEndpointCommand);

    const { reason } = await stack.deploy(build(1, { KeepEndpoints: '3' }));

    expect(reason).toContain('endpoint "v1" passed before, but is now DELETE_FAILED, since it was changed from outside: nothing was changed; delete the endpoint');
    expect([await status(), deleted]).toEqual(['DELETE_FAILED', []]);
    // The remedy that needs no manual step.
    expect(await stack.deploy(build(2))).toMatchObject({ status: 'COMPLETE', endpointName: 'v2' });
    stack.beforeCall = undefined;
    await stack.destroy();
  });
});

describe('an endpoint that is being created', () => {
  test('is waited for even if its tags cannot be read yet', async () => {
    const newControl = () => {
      const control = directControlPlane(fixture.server, fixture.newControl());
      control.middlewareStack.add((next, { commandName }) => async (args) => {
        const { resourceArn } = args.input as { readonly resourceArn?: string };
        const [runtimeArn, endpointName] = commandName === 'ListTagsForResourceCommand' ? resourceArn!.split('/runtime-endpoint/') : [];
        if (endpointName === undefined) return next(args);
        const { status } = await fixture.control.send(
          new GetAgentRuntimeEndpointCommand({ agentRuntimeId: runtimeArn!.split('runtime/')[1], endpointName }));
        return status === 'CREATING' ? { output: { tags: {}, $metadata: {} }, response: undefined } : next(args);
      }, { step: 'initialize', name: 'tagsComeLate' });
      return control;
    };
    // A function that dies right afterwards is called again at once.
    const stack = newStack({ newControl });
    let deaths = 0;
    stack.afterCall = ({ operation }) => {
      if (operation === 'CreateAgentRuntimeEndpoint' && deaths++ === 0) throw new Error('killed');
    };

    expect(await stack.deploy(build(1))).toEqual({ status: 'COMPLETE', endpointName: 'v1', version: '1' });
    expect(stack.log).toContainEqual({ message: 'waiting', details: { for: 'endpoint "v1" to become READY, which is CREATING' } });
    await stack.destroy();
  });
});

describe('a deletion', () => {
  test('waits as long as the service may still answer', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    refuse('ListAgentRuntimeEndpoints', 'throttle', 3);

    const { physicalId, properties } = stack.deployed!;
    expect((await stack.ask('Delete', properties!, physicalId)).status).toBe('SUCCESS');
    expect(await stack.endpoints()).toEqual(['DEFAULT']);
    await stack.destroy();
  });

  test('succeeds if the runtime does not exist', async () => {
    const stack = newStack();
    await stack.deploy(build(1));
    const { physicalId, properties, runtimeId } = stack.deployed!;
    await fixture.control.send(new DeleteAgentRuntimeCommand({ agentRuntimeId: runtimeId }));
    await fixture.clock.advance(60_000);

    expect((await stack.ask('Delete', properties!, physicalId)).status).toBe('SUCCESS');
    expect(warnings(stack)).toEqual([]);
  });

  test.each<[string, FaultKind, object]>([
    ['what it may not look at', 'accessDenied', { error: 'Workbench.AccessDenied' }],
    ['what does not go in ten minutes', 'throttle', { reason: 'waited 600 seconds for the service to answer (ThrottlingException: injected: throttle)' }],
  ])('leaves %s, which is logged', async (_, kind, details) => {
    const stack = newStack();
    await stack.deploy(build(1));
    refuse('ListAgentRuntimeEndpoints', kind, 10_000);
    const before = fixture.clock.now();

    const { physicalId, properties } = stack.deployed!;
    expect((await stack.ask('Delete', properties!, physicalId)).status).toBe('SUCCESS');

    expect(fixture.clock.now() - before).toBeLessThan(700_000);
    expect(warnings(stack)).toEqual([{ message: 'endpoints left', details: expect.objectContaining(details) }]);
    fixture.server.faults.clear();
    await stack.destroy();
  });
});
