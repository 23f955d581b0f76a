import { stateGraph } from '../../../rehearsal/report/state-graph';

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
  test('has every state, and names as they are', () => {
    const svg = stateGraph(DEFINITION);
    expect(svg.match(/<rect /g)).toHaveLength(4);
    expect(svg).toContain('>Is it &#60;right&#62;?</text>');
    expect(svg).not.toContain('<right>');
  });

  test('goes down to the end that is no failure, back at the left, and has failures at the right', () => {
    const svg = stateGraph(DEFINITION);
    const place = (name: string) => /<rect x="(\d+)" y="(\d+)"/.exec(svg.split('<g ').find((part) => part.includes(`>${name}`))!)!.slice(1).map(Number);
    expect(place('Ask')[1]).toBeLessThan(place('Is it')[1]);
    expect(place('Is it')[1]).toBeLessThan(place('Done')[1]);
    expect(place('Broken')[0]).toBeGreaterThan(place('Done')[0]);
    expect(svg).toContain('after an error of: Ask');
  });

  test('shows the way that was taken, and how often', () => {
    const svg = stateGraph(DEFINITION, new Map([['Ask', 2], ['Is it <right>?', 2], ['Done', 1]]));
    expect(svg).toContain('>Ask ×2</text>');
    expect(svg).toMatch(/class="Fail unseen"/);
    expect(svg.match(/<path class="seen"/g)).toHaveLength(3);
  });
});
