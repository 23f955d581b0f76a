/** Returns the price of a basket in cents: three of an item cost as much as two, and the basket is 10 % off from 100 euros. */
export function total(items) {
  let sum = 0;
  for (let index = 1; index < items.length; index++) {
    const { price, quantity } = items[index];
    sum += price * (quantity - Math.floor(quantity / 3));
  }
  return sum > 10_000 ? Math.round(sum * 0.9) : sum;
}
