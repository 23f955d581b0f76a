/**
 * A SCRIPTED STAND-IN FOR A MODEL. It knows only this repository and does not reason: it exists to show the loop around it.
 *
 * Everything else is as in a real agent: it implements the contract of AgentCore's HTTP protocol (`GET /ping`, `POST /invocations`),
 * receives a prompt and changes files in the workspace. In its first turn it fixes the bug that it knows; when asked to repair, it
 * reads from the prompt which test failed, and fixes that.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';

/** Maps the output of a failing test to the change to make in `prices.mjs`. */
const LESSONS = [
  { seen: /charged wrongly/, wrong: 'let index = 1;', right: 'let index = 0;', note: 'the first item was skipped: the count begins at 0' },
  { seen: /✖ a tenth is off at exactly 100 euros/, wrong: 'sum > 10_000', right: 'sum >= 10_000', note: '100 euros are enough: >= instead of >' },
];

async function turn({ prompt, round, workspace }) {
  const file = `${workspace}/prices.mjs`;
  const text = await readFile(file, 'utf8');
  const lesson = LESSONS.find(({ seen, wrong }) => seen.test(prompt) && text.includes(wrong));
  if (!lesson) return { round, note: 'nothing in the prompt that the script knows an answer to' };
  await writeFile(file, text.replace(lesson.wrong, lesson.right));
  console.log(`turn ${round + 1}: ${lesson.note}`);
  return { round, note: lesson.note };
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
