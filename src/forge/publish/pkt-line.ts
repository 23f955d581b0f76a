/** The maximum length of a packet, with its 4 digits (gitprotocol-common). */
const LONGEST = 65_520;

/** A remote does not speak git's protocol. */
export class ProtocolError extends Error {
  readonly name = 'ProtocolError';
}

/** The end of a list of packets. */
export const FLUSH = Buffer.from('0000');

/** Returns a packet of git's protocols: its length in 4 hexadecimal digits, and its data. */
export function packetOf(data: string | Buffer): Buffer {
  const bytes = Buffer.from(data as string);
  if (bytes.length + 4 > LONGEST) throw new RangeError(`a packet has at most ${LONGEST - 4} bytes, not ${bytes.length}`);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** Returns the packets of a reply, in lists that a flush ends. Throws if the reply is cut off. */
export function listsOf(reply: Buffer): Buffer[][] {
  const lists: Buffer[][] = [];
  let list: Buffer[] = [];
  for (let at = 0; at < reply.length;) {
    const digits = reply.subarray(at, at + 4).toString('latin1');
    if (!/^[0-9a-f]{4}$/i.test(digits)) throw new ProtocolError(`a packet begins with ${JSON.stringify(digits)}`);
    const length = parseInt(digits, 16);
    if (length === 0) {
      lists.push(list);
      list = [];
      at += 4;
      continue;
    }
    if (length < 4 || at + length > reply.length) throw new ProtocolError('the reply is cut off');
    list.push(reply.subarray(at + 4, at + length));
    at += length;
  }
  if (list.length > 0) throw new ProtocolError('the reply is cut off');
  return lists;
}

/** Returns the text of a packet without the end of its line. */
export function lineOf(packet: Buffer): string {
  return packet.toString().replace(/\n$/, '');
}
