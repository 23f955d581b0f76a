import { declinedReason } from './rules-hook';

const GIT_SAYS = 'pre-receive hook declined';

/** The maximum size of the data of a packet on a side band. */
const BAND_BYTES = 65_515;

/** Replaces git's reason for a push that the hook refused with the reason that GitHub gives. Messages are passed on as they come. */
export async function* withReasons(reply: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let words = '';
  let hasBands = false;
  const report: Buffer[] = [];
  for await (const piece of reply) {
    rest = Buffer.concat([rest, piece]);
    for (let packet = firstPacket(rest); packet !== undefined; packet = firstPacket(rest)) {
      rest = rest.subarray(packet.length);
      const band = packet[4];
      if (band === 2 || band === 3 || (band === 1 && packet.length === 5)) { // messages and signs of life
        hasBands = true;
        words += packet.subarray(5).toString();
        yield packet;
      } else if (band === 1) {
        hasBands = true;
        report.push(packet.subarray(5));
      } else if (!hasBands || packet.length > 4) {
        report.push(packet);
      }
    }
  }
  const whole = withReason(Buffer.concat([...report, rest]), declinedReason(words) ?? GIT_SAYS);
  if (!hasBands) return void (yield whole);
  for (let at = 0; at < whole.length; at += BAND_BYTES) yield packetOf(Buffer.concat([Buffer.from([1]), whole.subarray(at, at + BAND_BYTES)]));
  yield Buffer.from('0000');
}

/** Returns the first packet of a text, with its length, if it is complete. */
function firstPacket(text: Buffer): Buffer | undefined {
  if (text.length < 4) return undefined;
  const length = Math.max(4, parseInt(text.subarray(0, 4).toString('latin1'), 16));
  return text.length < length ? undefined : text.subarray(0, length);
}

function withReason(report: Buffer, reason: string): Buffer {
  const packets: Buffer[] = [];
  for (let rest = report, packet = firstPacket(rest); packet !== undefined; rest = rest.subarray(packet.length), packet = firstPacket(rest)) {
    const line = packet.subarray(4).toString();
    packets.push(line.startsWith('ng ') && line.includes(GIT_SAYS) ? packetOf(Buffer.from(line.replace(GIT_SAYS, reason))) : packet);
  }
  return Buffer.concat(packets);
}

function packetOf(data: Buffer): Buffer {
  return Buffer.concat([Buffer.from((data.length + 4).toString(16).padStart(4, '0')), data]);
}
