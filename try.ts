import { ModelServer, call, say } from './test/support/models';
void (async () => {
  const server = await ModelServer.start({ script: (turn) => {
    console.error('CALL', turn.callNumber, turn.model, JSON.stringify(turn.lastUserText.slice(-300)), JSON.stringify(turn.toolResults.map((r) => r.text.slice(0, 200))));
    const repair = turn.lastUserText.includes('not accepted yet');
    if (turn.toolResults.length > 0) return say(repair ? 'Now it adds for real.' : 'I have mended add.');
    return call('Bash', { command: repair ? 'sed -i "s/a \\* b/a + b/" add.js && cat add.js' : 'sed -i "s/a - b/a * b/" add.js && cat add.js', description: 'edit' });
  } });
  console.log(server.url ?? (server as unknown as {origin: string}).origin);
})();
