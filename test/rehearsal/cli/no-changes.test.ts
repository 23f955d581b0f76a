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

test('a run that changes nothing reports that and succeeds if all gates are green', async () => {
  const { exitCode, stdout, report } = await rehearse('right', 'true');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('nothing changed that can be committed\n');
  expect(stdout).toMatch(/ Run gate: test .* PASSED\n/);
  expect(stdout).toMatch(/^NO_CHANGES after 1 turn in [0-9.]+ s\n {2}the agent changed nothing, and all gates pass on the files as they were\n/m);
  expect(report).toContain('<p>the agent changed nothing, and all gates pass on the files as they were</p>');
});

test('a run that changes nothing fails if a gate is red', async () => {
  const { exitCode, stdout } = await rehearse('wrong', 'true');
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^CodingLoop\.Stuck after 2 turns in [0-9.]+ s\n {2}the agent is stuck at the gate "test": .*; the agent has changed nothing\n/m);
});

test('names work that the agent stashed, during the run and at its end', async () => {
  const { exitCode, stdout, report } = await rehearse('wrong', 'echo right > value; git stash -q');
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^ +work of the agent that is not in the files of the clone: stash@\{0\}: WIP on workbench\//m);
  expect(stdout).toMatch(/^CodingLoop\.Stuck .*\n(?: {2}.*\n)* {2}work of the agent that is not in the files of the clone: stash@\{0\}: WIP on /m);
  expect(report).toContain('<p>work of the agent that is not in the files of the clone: stash@{0}: WIP on ');
});

test('says in the story that a gate that was green before the agent started proves nothing about the task', async () => {
  const { exitCode, stdout, report } = await rehearse('right', 'echo more > more', '--gates-before');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/Record what changed .*\n +the gates run before the agent starts: their results do not decide anything yet\n.* Run gate: test .* PASSED\n.* Ask the agent \(turn 1\)/);
  expect(stdout).toMatch(/^COMMITTED after 1 turn in [0-9.]+ s\n {2}the gate was green before the agent started: that it passes now proves nothing about the task\n/m);
  expect(report).toContain('<p>the gate was green before the agent started: ');
});

test('counts a gate that was red before as proof, and its output at that time as no repair', async () => {
  const { exitCode, stdout } = await rehearse('wrong', 'echo right > value', '--gates-before');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/ Run gate: test .* FAILED, exit code 1\n[^]* Ask the agent \(turn 1\)[^]* Run gate: test .* PASSED\n/);
  expect(stdout).toMatch(/^COMMITTED after 1 turn in [0-9.]+ s\n\ncommit /m);
  expect(stdout).not.toContain('repair 1 of');
});
