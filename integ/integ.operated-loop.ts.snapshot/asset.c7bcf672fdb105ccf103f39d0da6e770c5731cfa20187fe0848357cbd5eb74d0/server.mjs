/**
 * A stand-in for an agent: adds a note to its workspace and answers with all the notes that it finds there.
 *
 * Implements the contract of AgentCore's HTTP protocol: port 8080, `GET /ping`, `POST /invocations`.
 */
import { appendFile, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const NOTES = `${process.env.WORKSPACE}/notes.txt`;

async function remember(prompt) {
  // Not at process start: the workspace is mounted only with the first invocation.
  await appendFile(NOTES, `${new Date().toISOString()} ${prompt}\n`);
  return { notes: (await readFile(NOTES, 'utf8')).trimEnd().split('\n') };
}

createServer(async (request, response) => {
  const reply = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === '/ping') return reply(200, { status: 'Healthy' });
  try {
    const chunks = await request.toArray();
    reply(200, await remember(JSON.parse(Buffer.concat(chunks).toString()).prompt));
  } catch (error) {
    reply(500, { error: String(error) });
  }
}).listen(8080, '0.0.0.0');
