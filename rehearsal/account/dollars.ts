/** Returns an amount in US dollars: that of a short run has digits, too. */
export function dollars(usd: number): string {
  return `$${usd.toFixed(usd !== 0 && usd < 0.1 ? 4 : 2)}`;
}
