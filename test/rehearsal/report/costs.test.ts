import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { costsOf } from '../../../src/journal/report/costs';
import type { Step } from '../../../src/journal/step';
import { PRICES } from '../../../src/prices/constants';

const PAGE = readFileSync(join(__dirname, '../../../docs/prices.md'), 'utf8');
/** Price and unit of each row, by item. */
const TABLE = new Map([...PAGE.matchAll(/^\| (.+?) \| ([\d.]+) \| (.+?) \|$/gm)].map(([, item, price, unit]) => [item, [Number(price), unit.split(/[,(]\D/)[0].trim()]]));

test('the page of prices and the report agree on the prices and their date', () => {
  expect(Object.fromEntries(TABLE)).toEqual({
    'AgentCore Runtime microVM v1, CPU': [PRICES.vcpuHour, 'vCPU hour'],
    'AgentCore Runtime microVM v1, memory': [PRICES.gbHour, 'GB hour'],
    'Session storage': [0, 'preview'],
    'Step Functions Standard': [PRICES.thousandTransitions, '1,000 state transitions'],
    'Lambda arm64, compute': [PRICES.lambdaGbSecond, 'GB second'],
    'Lambda, requests': [PRICES.millionRequests, '1,000,000 requests'],
  });
  expect(PAGE.match(/as published in \*\*(.+?)\*\*/)?.[1]).toBe(PRICES.asOf);
});

test('a run\'s cost counts its session, its transitions, and each request of a function', () => {
  const step = (duration: number, retries: number) => ({ duration, retries }) as Step;

  const costs = costsOf({ sessionSeconds: 3_600, transitions: 2_000, steps: [step(1_500, 0), step(500, 2)] });

  expect(costs.map(({ usd }) => usd)).toEqual([
    expect.closeTo(0.0895 + 0.00945, 10), expect.closeTo(0.05, 10), expect.closeTo(2 * 0.5 * 0.0000133334 + 4 * 0.2 / 1_000_000, 12),
  ]);
  expect(costs.map(({ amount }) => amount)).toEqual(['3600.0 s of 1 vCPU and 1 GB', '2000 transitions', '4 requests, 2.0 s of 0.5 GB']);
});

test('the cost of nothing is zero', () => {
  expect(costsOf({ sessionSeconds: 0, transitions: 0, steps: [] }).map(({ usd }) => usd)).toEqual([0, 0, 0]);
});
