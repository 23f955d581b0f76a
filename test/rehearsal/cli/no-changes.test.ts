import { readFileSync } from 'node:fs';
import { commandLine, WorkingCopy } from '../../support/command-line';

jest.setTimeout(120_000);

let copy: WorkingCopy;
afterEach(() => copy.remove());

async function rehearse(value: string, agent: string, ...more: string[]) {
  copy = new WorkingCopy({ 'value': `${value}\n`, 'test.sh': '#!/bin/bash\n[[ $(cat value) == right ]]\n' });
  const run = await commandLine('rehearse', '--repository', copy.directory, '--prompt', 'Make it right', '--state', copy.state, '--agent', `cat >/dev/null; ${agent}`, '--gate', 'test=./test.sh', ...more);
  return { ...run, report: readFileSync(/^report {5}(\S+)$/m.exec(run.stdout)![1], 'utf8') };
}

test('a run in which nothing changes and all gates are green says so, and succeeds', async () => {
  const { exitCode, stdout, report } = await rehearse('right', 'true');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('nothing changed that can be committed\n');
  expect(stdout).toMatch(/ Run gate: test .* PASSED\n/);
  expect(stdout).toMatch(/^NO_CHANGES after 1 turn in [0-9.]+ s\n {2}the agent changed nothing, and all gates pass on the files as they were\n/m);
  expect(report).toContain('<p>the agent changed nothing, and all gates pass on the files as they were</p>');
});

test('a run in which nothing changes and a gate is red fails', async () => {
  const { exitCode, stdout } = await rehearse('wrong', 'true');
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^CodingLoop\.Stuck after 2 turns in [0-9.]+ s\n {2}the agent is stuck at the gate "test": .*; the agent has changed nothing\n/m);
});

test('work that the agent stashed is named, while the run goes on and at its end', async () => {
  const { exitCode, stdout, report } = await rehearse('wrong', 'echo right > value; git stash -q');
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^ +work of the agent that is not in the files of the clone: stash@\{0\}: WIP on workbench\//m);
  expect(stdout).toMatch(/^CodingLoop\.Stuck .*\n(?: {2}.*\n)* {2}work of the agent that is not in the files of the clone: stash@\{0\}: WIP on /m);
  expect(report).toContain('<p>work of the agent that is not in the files of the clone: stash@{0}: WIP on ');
});

test('a gate that was green before the agent began proves nothing about the task, and the story says so', async () => {
  const { exitCode, stdout, report } = await rehearse('right', 'echo more > more', '--gates-before');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/Record what changed .*\n +the gates run before the agent starts: their results decide nothing yet\n.* Run gate: test .* PASSED\n.* Ask the agent \(turn 1\)/);
  expect(stdout).toMatch(/^COMMITTED after 1 turn in [0-9.]+ s\n {2}the gate was green before the agent started: that it passes now proves nothing about the task\n/m);
  expect(report).toContain('<p>the gate was green before the agent started: ');
});

test('a gate that was red before proves something, and its output then is no repair', async () => {
  const { exitCode, stdout } = await rehearse('wrong', 'echo right > value', '--gates-before');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/ Run gate: test .* FAILED, exit code 1\n[^]* Ask the agent \(turn 1\)[^]* Run gate: test .* PASSED\n/);
  expect(stdout).toMatch(/^COMMITTED after 1 turn in [0-9.]+ s\n\ncommit /m);
  expect(stdout).not.toContain('repair 1 of');
});
