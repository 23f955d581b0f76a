import { DefinitionJson } from '../support/definitions';
import { byAslValidator, byLanguageService, byOurselves } from '../support/linters';

const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:F';
const TASK = { Type: 'Task', Resource: FUNCTION };
const END = { Type: 'Succeed' };

const machine = (states: DefinitionJson['States']): DefinitionJson => ({ StartAt: Object.keys(states)[0], States: states });
const whole = machine({
  A: { ...TASK, TimeoutSeconds: 9, HeartbeatSeconds: 8, Retry: [{ ErrorEquals: ['X'], JitterStrategy: 'FULL' } as never], Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }], Next: 'B' },
  B: { Type: 'Choice', Choices: [{ Variable: '$.x', IsPresent: true, Next: 'A' }], Default: 'D' },
  C: { Type: 'Fail', Error: 'Mine', CausePath: '$.Cause' },
  D: END,
});

test('finds nothing in a valid definition', async () => {
  expect([...byAslValidator(whole), ...await byLanguageService(whole), ...byOurselves(whole)]).toEqual([]);
});

test.each<[string, DefinitionJson, string]>([
  ['a loop without an end', machine({ A: { ...TASK, Next: 'B' }, B: { Type: 'Choice', Choices: [{ Variable: '$.x', IsPresent: true, Next: 'A' }] } }), '"A" leads to no end'],
  ['a Choice without a Default', machine({ A: { Type: 'Choice', Choices: [{ Variable: '$.x', IsPresent: true, Next: 'B' }] }, B: END }), '"A" has no Default'],
  ['a state that nothing leads to', machine({ A: END, B: END }), '"B" is never reached'],
  ['a way to a state that is not there', machine({ A: { ...TASK, Next: 'Z' } }), '"A" leads to "Z"'],
  ['a reserved name', machine({ A: { Type: 'Fail', Error: 'States.Timeout' } }), '"A" throws "States.Timeout"'],
  [
    'the name of what was caught',
    machine({ A: { ...TASK, End: true, Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'B' }] }, B: { Type: 'Fail', ErrorPath: '$.error.Error' } }),
    '"B" throws what was caught',
  ],
  ['States.ALL beside others', machine({ A: { ...TASK, End: true, Retry: [{ ErrorEquals: ['X', 'States.ALL'] } as never] } }), '"A" names States.ALL'],
  ['an unknown field of a Retry', machine({ A: { ...TASK, End: true, Retry: [{ ErrorEquals: ['X'], Delay: 1 } as never] } }), '"A" has the field "Delay"'],
  ['an unknown jitter strategy', machine({ A: { ...TASK, End: true, Retry: [{ ErrorEquals: ['X'], JitterStrategy: 'Full' } as never] } }), '"A" has the jitter strategy "Full"'],
  ['a heartbeat as long as the timeout', machine({ A: { ...TASK, End: true, TimeoutSeconds: 5, HeartbeatSeconds: 5 } }), '"A" has a heartbeat'],
  ['any of these in a branch', machine({ P: { Type: 'Parallel', End: true, Branches: [machine({ A: { Type: 'Fail', Error: 'States.ALL' } })] } }), '"P" "A" throws'],
])('fails a definition with %s', (_, definition, fault) => {
  expect(byOurselves(definition)).toContainEqual(expect.stringContaining(fault));
});
