/**
 * The floors of the house (docs/architecture.md), lowest first. A room imports rooms of lower floors
 * and itself; rooms of one floor do not import each other.
 */
const floors: ReadonlyArray<readonly string[]> = [
  ["ffi"],
  ["lib/base"],
  ["lib/wire"],
  [
    "lib/mesh",
    "lib/ipam",
    "lib/dns",
    "lib/overlay",
    "lib/policy",
    "lib/links",
    "lib/diagnosis",
    "lib/incident",
  ],
  ["lib/peer"],
  ["lib/simulator"],
  ["lib/host"],
  ["lib/api"],
  ["lib/daemon"],
  ["lib/docker", "lib/kubernetes", "lib/cni", "lib/ui"],
  ["lib/cli"],
  ["cmd"],
];

/** `lib/mesh/peers.ts` → `lib/mesh`. */
export function roomOf(path: string): string {
  const parts = path.split("/");
  return parts[0] === "lib" ? parts.slice(0, 2).join("/") : parts[0]!;
}

export function floorOf(room: string): number | undefined {
  const floor = floors.findIndex((rooms) => rooms.includes(room));
  return floor < 0 ? undefined : floor;
}

/** Of rooms between native code and the machine, which take time, randomness, sockets and storage as arguments. */
export function isCore(path: string): boolean {
  const floor = floorOf(roomOf(path)) ?? 0;
  return floor >= floorOf("lib/base")! && floor < floorOf("lib/host")!;
}

export function mayImport(from: string, to: string): boolean {
  const [upper, lower] = [roomOf(from), roomOf(to)];
  if (upper === lower) return true;
  const [high, low] = [floorOf(upper), floorOf(lower)];
  if (high === undefined || low === undefined || low >= high) return false;
  return lower !== "ffi" || high >= floorOf("lib/host")!;
}
