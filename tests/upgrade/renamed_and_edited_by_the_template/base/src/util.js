export function add(a, b) {
  return a + b;
}

export function twice(a) {
  return add(a, a);
}

export const name = "util";
