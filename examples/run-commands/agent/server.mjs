/**
 * A stand-in for an agent: "fixes" what it is asked to fix by writing the file that the prompt names.
 *
 * Implements the contract of AgentCore's HTTP protocol: port 8080 (or `PORT`, if it is set), `GET /ping`, `POST /invocations`.
 */
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';

async function turn({ prompt }) {
  const [, name, content] = /^write (\S+): (.*)$/s.exec(prompt) ?? [];
  if (name === undefined) return { error: 'I can only write files: "write NAME: CONTENT"' };
  await writeFile(`${process.env.WORKSPACE}/${name}`, content);
  return { said: `I wrote ${name}` };
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
}).listen(Number(process.env.PORT ?? 8080), '0.0.0.0');
