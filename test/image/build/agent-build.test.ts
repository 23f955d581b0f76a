import { rmSync } from 'fs';
import { AgentImage, BedrockModel, CodingAgent, DevTool } from '../../../src';
import { PROGRAM_VERSIONS } from '../../../src/agent/versions';
import { MANIFEST_PATH } from '../../../src/image/constants';
import { DEFAULT_BASE } from '../../../src/image/versions';
import { toolsCommand } from '../../../src/rollout/smoke-test';
import { ContainerStore } from '../../support/container-store';
import { assetOf } from '../../support/image-assets';
import { type NodeMirror, directoryOf, importBase, importMise, startNodeMirror } from '../../support/image-parts';

/** Real builds of the images of agents, with the real programs from npm and PyPI. No model is called. */
jest.setTimeout(600_000);

const model = BedrockModel.inferenceProfile('us.anthropic.claude-sonnet-4-20250514-v1:0');

let store: ContainerStore;
let mirror: NodeMirror;

beforeAll(async () => {
  store = new ContainerStore();
  mirror = await startNodeMirror();
  await importBase(store);
  await importMise(store);
});

afterAll(async () => {
  await mirror.close();
  await store.dispose();
});

/** Programs that come in a package per platform, which a script of theirs puts in place. */
const WITH_SCRIPTS = ['claude-code', 'opencode'];

const strands = directoryOf({ 'requirements.txt': 'six==1.16.0\n', 'agent.py': 'from strands import Agent\n\n\ndef create_agent(**options):\n    return Agent(**options)\n' });

afterAll(() => rmSync(strands, { recursive: true }));

// Python comes from Debian here, since builds of it for mise are on GitHub only.
const AGENTS: readonly (readonly [name: string, agent: CodingAgent, tools: DevTool[]])[] = [
  ['claude-code', CodingAgent.claudeCode({ model, instructions: 'It\'s "quoted".' }), []],
  ['codex', CodingAgent.codex({ model }), []],
  ['opencode', CodingAgent.openCode({ model }), []],
  ['aider', CodingAgent.aider({ model }), [DevTool.PYTHON3]],
  ['strands', CodingAgent.strands(strands, { model }), [DevTool.PYTHON3]],
];

/** The others are built at night: each takes minutes, and downloads hundreds of megabytes. */
const chosen = process.env.WORKBENCH_ALL_AGENTS ? AGENTS.map(([name]) => name) : ['claude-code'];

describe.each(AGENTS.filter(([name]) => chosen.includes(name)))('the image of %s', (name, agent, tools) => {
  let built: { readonly exitCode: number; readonly output: string };

  beforeAll(async () => {
    const { context } = assetOf(AgentImage.forAgent(agent, { tools, miseSettings: { MISE_NODE_MIRROR_URL: mirror.url } }));
    built = await store.build(context, name);
  });

  const printed = async (command: string) => {
    const { exitCode, stdout, stderr } = await store.exec(name, 'bash', '-c', command);
    return { exitCode, output: (stdout + stderr).trim() };
  };

  test('builds, which runs the program and the check of the runner', () => {
    expect(built.exitCode === 0 ? '' : built.output.slice(-3_000)).toBe('');
  });

  test('could begin as the user of a session', async () => {
    const { exitCode, output } = await printed('id -u; AWS_REGION=us-east-1 workbench-agent check');
    expect(output).toContain(PROGRAM_VERSIONS[name as keyof typeof PROGRAM_VERSIONS]);
    expect(output).toMatch(/^0\n/);
    expect(exitCode).toBe(0);
  });

  test('has the definition, unchanged by the build', async () => {
    expect(JSON.parse((await printed('cat /etc/workbench-agent.json')).output)).toEqual(agent._definition());
  });

  test('has the tools that the smoke test of a rollout looks for', async () => {
    expect(await printed(toolsCommand(MANIFEST_PATH))).toMatchObject({ exitCode: 0 });
  });

  test('could not begin without a Region', async () => {
    const { exitCode, output } = await printed('env -u AWS_REGION workbench-agent check');
    expect(output).toContain('AWS_REGION is not set');
    expect(exitCode).not.toBe(0);
  });

  test('serves the requests of the service', async () => {
    const { output } = await printed('workbench-agent serve >/tmp/log 2>&1 & until curl_less=$(node -e \'fetch("http://127.0.0.1:8080/ping").then((r)=>r.text()).then(console.log,()=>process.exit(1))\' 2>/dev/null); do kill -0 $! || exit 1; done; echo "$curl_less"; kill $!');
    expect(JSON.parse(output)).toMatchObject({ status: 'Healthy' });
  });

  test('is smaller than the 2 GB that the service accepts', async () => {
    const { output } = await printed('du -sxm --exclude=/proc --exclude=/sys / 2>/dev/null | cut -f 1');
    console.info(`${name}: ${output} MB`);
    expect(Number(output)).toBeLessThan(2_000);
  });
});

describe.each(AGENTS.filter(([name]) => chosen.includes(name) && WITH_SCRIPTS.includes(name)))('an image of your own with %s, whose npm runs no scripts', (name, agent) => {
  test('builds, and the program starts', async () => {
    const directory = directoryOf({ Dockerfile: `FROM ${DEFAULT_BASE}\nENV npm_config_ignore_scripts=true\nRUN useradd --uid 1000 --create-home coder\nUSER coder\nCMD ["sleep", "1"]\n` });
    const { context } = assetOf(AgentImage.fromDirectory(directory, { agent, miseSettings: { MISE_NODE_MIRROR_URL: mirror.url } }));
    rmSync(directory, { recursive: true });
    const { exitCode, output } = await store.build(context, `own-${name}`);
    expect(exitCode === 0 ? '' : output.slice(-3_000)).toBe('');
    expect(await store.exec(`own-${name}`, 'bash', '-c', 'AWS_REGION=us-east-1 workbench-agent check')).toMatchObject({ exitCode: 0 });
  });
});
