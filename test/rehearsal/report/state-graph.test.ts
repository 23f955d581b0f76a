import { stateGraph } from '../../../src/journal/report/state-graph';

const DEFINITION = {
  StartAt: 'Ask',
  States: {
    'Ask': { Type: 'Task', Resource: 'x', Next: 'Is it <right>?', Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Broken' }] },
    'Is it <right>?': { Type: 'Choice', Choices: [{ Next: 'Done' }], Default: 'Ask' },
    'Done': { Type: 'Succeed' },
    'Broken': { Type: 'Fail' },
  },
};

describe('the graph of a state machine', () => {
  test('has a box for every state, and escapes its name', () => {
    const svg = stateGraph(DEFINITION);
    expect(svg.match(/<rect /g)).toHaveLength(4);
    expect(svg).toContain('>Is it &lt;right&gt;?</text>');
    expect(svg).not.toContain('<right>');
  });

  test('puts the path to success in a column, and failures on its right', () => {
    const svg = stateGraph(DEFINITION);
    const place = (name: string) => /<rect x="(\d+)" y="(\d+)"/.exec(svg.split('<g ').find((part) => part.includes(`>${name}`))!)!.slice(1).map(Number);
    expect(place('Ask')[1]).toBeLessThan(place('Is it')[1]);
    expect(place('Is it')[1]).toBeLessThan(place('Done')[1]);
    expect(place('Broken')[0]).toBeGreaterThan(place('Done')[0]);
    expect(svg).toContain('after an error of Ask');
  });

  test('highlights the path that an execution took, and counts visits', () => {
    const svg = stateGraph(DEFINITION, ['Ask', 'Is it <right>?', 'Ask', 'Is it <right>?', 'Done']);
    expect(svg).toContain('>Ask ×2</text>');
    expect(svg).toMatch(/class="Fail unseen"/);
    expect(svg.match(/<path class="seen"/g)).toHaveLength(3);
  });

  test('draws the transition of a caught error only if the execution took it', () => {
    const all = (svg: string) => svg.match(/<path class=/g);
    expect(all(stateGraph(DEFINITION))).toHaveLength(3);
    const failed = stateGraph(DEFINITION, ['Ask', 'Broken']);
    expect(all(failed)).toHaveLength(4);
    expect(failed.match(/<path class="seen"/g)).toHaveLength(1);
  });
});
