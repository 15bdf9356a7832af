/**
 * Allocates addresses over HTTP, inside the namespace of a router:
 *
 *   bun bench/ipam-client.ts <first> <count> <parallel>
 *
 * Prints allocations per second. Every answer is checked to be an address.
 */
const [first, count, parallel] = process.argv.slice(2).map(Number) as [number, number, number];

async function allocate(number: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:6784/ip/bench${number}`, { method: "POST" });
  const text = await answer.text();
  if (!/^[\d.]+\/\d+$/.test(text))
    throw new Error(`allocation ${number}: ${answer.status} ${text}`);
}

let next = first;
async function work(): Promise<void> {
  while (next < first + count) await allocate(next++);
}

// The connections are there before the time is taken.
await fetch("http://127.0.0.1:6784/status").then((answer) => answer.text());
const startMs = performance.now();
await Promise.all(Array.from({ length: parallel }, work));
process.stdout.write(`${(1000 * count) / (performance.now() - startMs)}\n`);
