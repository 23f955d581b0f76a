/**
 * A stand-in for an agent: answers with the list of tools in its image.
 *
 * Implements the contract of AgentCore's HTTP protocol: port 8080, `GET /ping`, `POST /invocations`.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

createServer(async (request, response) => {
  const reply = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url === '/ping') return reply(200, { status: 'Healthy' });
  try {
    reply(200, JSON.parse(await readFile('/etc/agent-image.json', 'utf8')));
  } catch (error) {
    reply(500, { error: String(error) });
  }
}).listen(8080, '0.0.0.0');
