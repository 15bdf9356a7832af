import { createSocket } from "node:dgram";

/**
 * A program for the inside of containers:
 *
 *   tcp-sink <port>                    reads one connection to its end; prints `begun` when anything
 *                                      came, count and SHA-256 at the end
 *   tcp-source <host> <port> <octets> [more]
 *                                      sends so many octets, and more until its input ends where that
 *                                      is asked for; prints count and SHA-256
 *   tcp-talk <port> [host]             sends a little all the time, both ways; prints every second how
 *                                      much came and the longest pause so far in ms, and `ended`
 *   udp-hear <port> [group]            prints the first datagram and who sent it
 *   udp-hear-all <port> [group]        prints every datagram and who sent it, until it is ended
 *   udp-say <host> <port> <text>       sends it once, broadcast and multicast included
 *   udp-chat <port>                    broadcasts a number twenty times a second; prints every second
 *                                      how many it said, heard of others, and heard again
 *   tcp-reach <host> <port>            prints `reached`; fails after two seconds without connection
 *   http-serve <port> <text>           answers every request with the text, until it is ended
 *   http-ask <url>                     prints the answer; fails after two seconds without one
 *
 * Whatever listens prints `listening` first.
 */
const [mode, ...words] = process.argv.slice(2) as [string, ...string[]];

const chunkSize = 64 << 10;

function tcpSink(port: number): void {
  const hash = new Bun.CryptoHasher("sha256");
  let count = 0;
  const server = Bun.listen({
    hostname: "0.0.0.0",
    port,
    socket: {
      data(_socket, data) {
        if (count === 0) console.log("begun");
        hash.update(data);
        count += data.length;
      },
      close() {
        console.log(`${count} ${hash.digest("hex")}`);
        server.stop();
      },
    },
  });
  console.log("listening");
}

async function tcpSource(hostname: string, port: number, octets: number): Promise<void> {
  const hash = new Bun.CryptoHasher("sha256");
  let [count, goesOn] = [0, words[3] === "more"];
  const input = Bun.stdin.text().then(() => {
    goesOn = false;
  });
  let chunk = new Uint8Array(0);
  const pump = (socket: Bun.Socket): void => {
    for (;;) {
      if (chunk.length === 0) {
        const left = octets - count;
        if (left <= 0 && !goesOn) break;
        const size = left > 0 ? Math.min(left, chunkSize) : chunkSize;
        chunk = crypto.getRandomValues(new Uint8Array(size));
        hash.update(chunk);
        count += size;
      }
      const written = socket.write(chunk);
      chunk = chunk.subarray(written);
      if (chunk.length > 0) return;
    }
    socket.end();
  };
  const done = Promise.withResolvers<void>();
  await Bun.connect({
    hostname,
    port,
    socket: { open: pump, drain: pump, data() {}, close: () => done.resolve() },
  });
  await Promise.all([done.promise, input]);
  console.log(`${count} ${hash.digest("hex")}`);
}

/** A little every so often, so that a pause shows and a busy machine has time for others. */
const talkChunk = new Uint8Array(10_000);
const talkEveryMs = 10;

async function tcpTalk(port: number, host: string | undefined): Promise<void> {
  let [count, longestPauseMs, lastMs] = [0, 0, performance.now()];
  const pause = (): number => Math.round(performance.now() - lastMs);
  const socket: Bun.SocketHandler = {
    open(talking) {
      lastMs = performance.now();
      setInterval(() => talking.write(talkChunk), talkEveryMs);
      setInterval(() => console.log(`${count} ${Math.max(longestPauseMs, pause())}`), 1000);
    },
    data(_talking, data) {
      longestPauseMs = Math.max(longestPauseMs, pause());
      lastMs = performance.now();
      count += data.length;
    },
    close() {
      console.log("ended");
      process.exit();
    },
  };
  if (host === undefined) Bun.listen({ hostname: "0.0.0.0", port, socket });
  else await Bun.connect({ hostname: host, port, socket });
  console.log("listening");
}

function udpHear(port: number, group: string | undefined, goesOn: boolean): void {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", (message, from) => {
    console.log(`${String(message)} from ${from.address}`);
    if (!goesOn) socket.close();
  });
  socket.bind(port, () => {
    if (group !== undefined) socket.addMembership(group);
    console.log("listening");
  });
}

const chatEveryMs = 50;

/** Everybody in the subnet of the overlay hears it, but for whoever says it. */
function udpChat(port: number): void {
  const own = crypto.randomUUID();
  const seen = new Set<string>();
  let [said, heardAgain] = [0, 0];
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", (message) => {
    const word = String(message);
    if (word.startsWith(own)) return;
    if (seen.has(word)) heardAgain++;
    seen.add(word);
  });
  // Where nobody is heard at the moment the kernel says so.
  socket.on("error", () => {});
  socket.bind(port, () => {
    socket.setBroadcast(true);
    setInterval(() => socket.send(`${own} ${++said}`, port, "10.47.255.255"), chatEveryMs);
    setInterval(() => console.log(`${said} ${seen.size} ${heardAgain}`), 1000);
    console.log("listening");
  });
}

function udpSay(host: string, port: number, text: string): void {
  const socket = createSocket("udp4");
  socket.bind(0, () => {
    socket.setBroadcast(true);
    socket.setMulticastTTL(8);
    socket.send(text, port, host, () => socket.close());
  });
}

async function tcpReach(hostname: string, port: number): Promise<void> {
  const timeout = AbortSignal.timeout(2000);
  const late = new Promise<never>((_, reject) => {
    timeout.addEventListener("abort", () => reject(timeout.reason));
  });
  await Promise.race([Bun.connect({ hostname, port, socket: { data() {} } }), late]);
  console.log("reached");
  process.exit();
}

function httpServe(port: number, text: string): void {
  Bun.serve({ hostname: "0.0.0.0", port, fetch: () => new Response(text) });
  console.log("listening");
}

async function httpAsk(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
  console.log(await answer.text());
}

const [first = "", second = "", third = ""] = words;
if (mode === "tcp-sink") tcpSink(Number(first));
else if (mode === "tcp-source") await tcpSource(first, Number(second), Number(third));
else if (mode === "tcp-talk") await tcpTalk(Number(first), words[1]);
else if (mode === "udp-hear") udpHear(Number(first), words[1], false);
else if (mode === "udp-hear-all") udpHear(Number(first), words[1], true);
else if (mode === "udp-chat") udpChat(Number(first));
else if (mode === "tcp-reach") await tcpReach(first, Number(second));
else if (mode === "http-serve") httpServe(Number(first), second);
else if (mode === "http-ask") await httpAsk(first);
else udpSay(first, Number(second), third);
