/** Returns an amount in cents with a percentage off, rounded to whole cents. */
export function percentOff(percent, cents) {
  return Math.round((cents * (100 - percent)) / 100);
}
