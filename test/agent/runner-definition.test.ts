import { mkdtempSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { AGENT_PROGRAMS } from '../../src/agent/constants';
import { faultsOf, parseDefinition, readDefinition } from '../../src/agent/runner/definition';

const parse = (value: unknown) => parseDefinition(typeof value === 'string' ? value : JSON.stringify(value), '/etc/agent.json');

test('a definition with all fields is read as it is', () => {
  const definition = {
    program: 'claude-code',
    name: 'fixer',
    provider: 'bedrock',
    model: 'eu.some-model-v1:0',
    smallModel: 'eu.small-model-v1:0',
    maxTurns: 1,
    arguments: ['--verbose'],
    environment: { A_1: '' },
    instructions: 'Be brief.',
    command: 'true',
    directory: 'agent',
  };
  expect(parse(definition)).toEqual(definition);
});

test.each<[string, unknown, string]>([
  ['no JSON', '{', 'it must be JSON'],
  ['a list', [], 'it must be an object such as {"program": "claude-code"}'],
  ['no program', {}, `"program" is missing: name one of ${AGENT_PROGRAMS.join(', ')}`],
  ['an unknown program', { program: 'vi' }, '"program" must be one of claude-code, codex, opencode, aider, strands, custom, not "vi"'],
  ['an unknown field', { program: 'custom', modell: 'x' }, '"modell" is unknown: remove it, or use one of program, name,'],
  ['a field of every object', { program: 'custom', constructor: 'x' }, '"constructor" is unknown'],
  ['another provider', { program: 'custom', provider: 'other' }, '"provider" must be one of bedrock, not "other"'],
  ['empty text', { program: 'custom', model: ' ' }, '"model" must be text that is not empty, not " "'],
  ['no turns', { program: 'custom', maxTurns: 0 }, '"maxTurns" must be a whole number from 1, not 0'],
  ['half a turn', { program: 'custom', maxTurns: 1.5 }, '"maxTurns" must be a whole number from 1, not 1.5'],
  ['arguments that are no texts', { program: 'custom', arguments: [1] }, '"arguments" must be a list of texts, not [1]'],
  ['a variable that is no text', { program: 'custom', environment: { A: 1 } }, '"environment" has "A", but a name consists of'],
  ['a name that is none', { program: 'custom', environment: { 'A B': '1' } }, '"environment" has "A B", but a name consists of'],
  ['a list of variables', { program: 'custom', environment: [] }, '"environment" must be an object of names and values'],
])('fails for %s, and says what to change', (_, value, message) => {
  expect(() => parse(value)).toThrow('the definition of the agent (/etc/agent.json) cannot be used: ');
  expect(() => parse(value)).toThrow(message);
});

test('a definition with several faults names all of them', () => {
  expect(() => parse({ model: '', more: 1 })).toThrow(/"model".*"more".*"program" is missing/);
});

describe('the environment', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'definition-')), 'agent.json');
  writeFileSync(file, '{"program":"claude-code","model":"one"}');

  test('names the file, and may name another model', () => {
    expect(readDefinition({ WORKBENCH_AGENT_FILE: file }).model).toBe('one');
    expect(readDefinition({ WORKBENCH_AGENT_FILE: file, WORKBENCH_AGENT_MODEL: '' }).model).toBe('one');
    expect(readDefinition({ WORKBENCH_AGENT_FILE: file, WORKBENCH_AGENT_MODEL: 'two' }).model).toBe('two');
    expect(readDefinition({ WORKBENCH_AGENT_FILE: file, WORKBENCH_AGENT_SMALL_MODEL: 'small' })).toMatchObject({ model: 'one', smallModel: 'small' });
  });

  test('fails if the file is not there', () => {
    expect(() => readDefinition({ WORKBENCH_AGENT_FILE: `${file}.not` })).toThrow(/cannot be read \(ENOENT\): build the image with AgentImage.forAgent/);
  });
});

test('an agent on Bedrock needs a region and a model', () => {
  expect(faultsOf({ program: 'claude-code', provider: 'bedrock' }, {})).toEqual([
    'AWS_REGION is not set: set it to the region of the model',
    '"model" is missing: name a model or an inference profile, in the definition or in WORKBENCH_AGENT_MODEL',
  ]);
  expect(faultsOf({ program: 'claude-code', provider: 'bedrock', model: 'x' }, { AWS_DEFAULT_REGION: 'eu-west-1' })).toEqual([]);
  expect(faultsOf({ program: 'custom' }, {})).toEqual(['"command" is missing: give the command line of the agent']);
});
