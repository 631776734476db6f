/** Visits one address and prints what the app counted. */
const response = await fetch("https://example.com/visits");
const { count } = (await response.json()) as { count: number };
console.log(`${count} visits`);

export {};
