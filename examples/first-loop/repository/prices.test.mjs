import assert from 'node:assert/strict';
import { test } from 'node:test';
import { total } from './prices.mjs';

test('every item of the basket is charged', () => {
  assert.equal(total([{ price: 300, quantity: 1 }, { price: 150, quantity: 2 }, { price: 50, quantity: 1 }]), 650);
});

test('the third of an item is free', () => {
  assert.equal(total([{ price: 500, quantity: 3 }]), 1_000);
});

test('a tenth is off at exactly 100 euros', () => {
  assert.equal(total([{ price: 10_000, quantity: 1 }]), 9_000);
});
