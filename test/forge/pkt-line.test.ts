import { FLUSH, listsOf, packetOf, ProtocolError } from '../../src/forge/publish/pkt-line';

test('packets are read as they were written, in lists', () => {
  const lists = listsOf(Buffer.concat([packetOf('one'), packetOf(Buffer.from('two')), FLUSH, packetOf(''), FLUSH, FLUSH]));
  expect(lists.map((list) => list.map(String))).toEqual([['one', 'two'], [''], []]);
});

test('fails for a packet that is longer than the protocol allows', () => {
  expect(packetOf(Buffer.alloc(65_516)).length).toBe(65_520);
  expect(() => packetOf(Buffer.alloc(65_517))).toThrow('at most 65516 bytes, not 65517');
});

test.each(['<htm', '00', '0003', '0009one', '0007one'])('fails for a reply that is cut off, or is something else: %j', (reply) => {
  expect(() => listsOf(Buffer.from(reply))).toThrow(ProtocolError);
});
