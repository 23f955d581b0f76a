/**
 * ANOTHER SCRIPTED STAND-IN FOR A MODEL, which makes a mistake that only a clean checkout shows.
 *
 * In its first turn it corrects both bugs with a function of a package, installs the package in the workspace, and forgets to declare it. All gates
 * pass there. In the verification they do not, and its second turn copies the function into the repository.
 */
import { execFileSync } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('discounts', import.meta.url));

async function edit(file, ...changes) {
  const text = await readFile(file, 'utf8');
  await writeFile(file, changes.reduce((edited, [from, to]) => edited.replace(from, to), text));
}

async function hasty(workspace) {
  execFileSync('npm', ['install', '--no-save', '--no-package-lock', '--install-links', '--offline', '--no-audit', '--no-fund', PACKAGE], { cwd: workspace });
  await writeFile(`${workspace}/.gitignore`, 'node_modules/\n');
  await edit(`${workspace}/prices.mjs`,
    ['/** Returns', 'import { percentOff } from \'@example/discounts\';\n\n/** Returns'],
    ['let index = 1;', 'let index = 0;'],
    ['sum > 10_000 ? Math.round(sum * 0.9)', 'sum >= 10_000 ? percentOff(10, sum)']);
  return 'both bugs corrected, with a package that is installed in the workspace';
}

async function careful(workspace) {
  await cp(`${PACKAGE}/index.mjs`, `${workspace}/discounts.mjs`);
  await edit(`${workspace}/prices.mjs`, ['\'@example/discounts\'', '\'./discounts.mjs\'']);
  return 'the package was not declared: its function is now a file of the repository';
}

async function turn({ prompt, round, workspace }) {
  const note = round === 0 ? await hasty(workspace)
    : prompt.includes('Cannot find package \'@example/discounts\'') ? await careful(workspace)
      : 'nothing in the prompt that the script knows an answer to';
  console.log(`turn ${round + 1}: ${note}`);
  return { round, note };
}

createServer(async (request, response) => {
  const reply = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === '/ping') return reply(200, { status: 'Healthy' });
  try {
    const chunks = await request.toArray();
    reply(200, await turn(JSON.parse(Buffer.concat(chunks).toString())));
  } catch (error) {
    reply(500, { error: String(error) });
  }
}).listen(process.env.PORT ?? 8080, '0.0.0.0');
