import { parseAddressToken } from "../../../lib/base/address-token.ts";
import { fromUtf8, utf8 } from "../../../lib/base/bytes.ts";
import { formatEndpoint, parseEndpoint } from "../../../lib/base/endpoint.ts";
import { formatCidr, formatIp, networkOf, parseCidr, parseIp } from "../../../lib/base/ip.ts";
import { formatPeerName, parsePeerName } from "../../../lib/base/peer-name.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { parseDurationMs } from "../../../lib/daemon/duration.ts";
import { decodeLaunchOptions } from "../../../lib/daemon/launch-options.ts";
import { launchOptions } from "../../../lib/daemon/launch-validation.ts";
import { parseDomain } from "../../../lib/dns/domain.ts";
import { parseResolvConf } from "../../../lib/dns/resolv-conf.ts";
import { Upstreams } from "../../../lib/dns/upstreams.ts";
import { parseInitMode } from "../../../lib/ipam/init-mode.ts";
import { formatRange, hostRange, parseSubnet, rangeSize } from "../../../lib/ipam/range.ts";
import { parseDirectPeer } from "../../../lib/mesh/direct-peers.ts";
import { encodeName } from "../../../lib/wire/dns-name.ts";
import { tryParseMac } from "../../../lib/wire/ethernet.ts";
import { recordedTexts } from "../recorded.ts";
import { type FuzzTarget, hold, refusable } from "../target.ts";

/** A reader of something that people write, and the reasons for which it may refuse it. */
interface WordReader {
  readonly refusals: readonly string[];
  /** Whether the text was understood. */
  read(text: string): boolean;
}

/** What was understood has one canonical form, which reads as the same. */
function canonical(parse: (text: string) => string): (text: string) => boolean {
  return (text) => {
    const once = parse(text);
    hold(parse(once) === once, `${JSON.stringify(once)} reads as something else`);
    return true;
  };
}

const clock = { monotonicMs: () => 0, log: silentLog };
const countsMax = 1000;

const readers: readonly WordReader[] = [
  {
    refusals: ["PEER_NAME_FORMAT"],
    read: canonical((text) => formatPeerName(parsePeerName(text))),
  },
  { refusals: ["IP_FORMAT"], read: canonical((text) => formatIp(parseIp(text))) },
  { refusals: ["CIDR_FORMAT"], read: canonical((text) => formatCidr(networkOf(parseCidr(text)))) },
  { refusals: ["ENDPOINT_FORMAT"], read: canonical((text) => formatEndpoint(parseEndpoint(text))) },
  { refusals: ["DNS_DOMAIN"], read: canonical((text) => parseDomain(text).name) },
  {
    refusals: ["CIDR_FORMAT", "CIDR_FAMILY", "IPAM_SUBNET"],
    read(text) {
      const range = hostRange(parseSubnet(text));
      hold(rangeSize(range) >= 1, `${formatRange(range)} has no addresses`);
      return true;
    },
  },
  { refusals: ["PEER_ADDRESS"], read: (text) => parseDirectPeer(text, 6783).port > 0 },
  { refusals: ["CIDR_*"], read: (text) => parseAddressToken(text).kind !== undefined },
  { refusals: ["IPAM_INIT_MODE"], read: (text) => parseInitMode(text).kind !== undefined },
  { refusals: ["DURATION_FORMAT"], read: (text) => parseDurationMs(text) >= 0 },
  { refusals: [], read: (text) => tryParseMac(text) !== undefined },
  // Nearly every text is a name.
  { refusals: [], read: (text) => (encodeName(text)?.length ?? 0) > 1 && text.endsWith(".") },
  {
    refusals: [],
    read(text) {
      const conf = parseResolvConf(text);
      const upstreams = new Upstreams(clock, { ownAddresses: ["172.17.0.1"] });
      upstreams.use(conf);
      hold(upstreams.order().length * upstreams.attempts <= countsMax, "servers without end");
      return conf.servers.length > 0;
    },
  },
];

const flags: readonly string[] = [
  "peer",
  "host",
  "port",
  "name",
  "nickname",
  "password",
  "trusted-subnets",
  "conn-limit",
  "ipalloc-range",
  "ipalloc-init",
  "ipalloc-default-subnet",
  "dns-domain",
  "dns-listen-address",
  "dns-ttl",
  "dns-fallback-timeout",
  "mtu",
  "weave-bridge",
  "bufsz",
  "http-addr",
  "log-level",
];

/** Options that were accepted reach the router's process as they are. */
function launchWith(text: string): boolean {
  const [flag = "", ...rest] = text.split("=");
  const value = rest.join("=");
  if (!flags.includes(flag)) return false;
  const options = refusable(["LAUNCH_*", "PEER_ADDRESS"], () =>
    launchOptions(
      {
        peers: flag === "peer" ? [value] : [],
        enabled: () => false,
        text: (name) => (name === flag ? value : undefined),
      },
      { hostname: "host1" },
    ),
  );
  if (options === undefined) return false;
  const arrived = decodeLaunchOptions(JSON.stringify(options));
  hold(Bun.deepEquals(arrived, options), "the router is told something else");
  return true;
}

/** Damaged names, addresses, subnets, files and flags, as people write them. */
export const wordsTarget: FuzzTarget = {
  name: "words",
  corpus: () =>
    [
      ...recordedTexts("mesh/peer-names", /^input$/),
      ...recordedTexts("ipam/ipalloc_init", /^(mode|input)$/),
      ...recordedTexts("ipam/address_helpers", /^input$/),
      ...recordedTexts("dns/resolv_conf", /^file$/),
      ...["10.32.0.1", "fd00::1", "::ffff:10.0.0.1", "10.32.0.0/12", "fd00::/8", "0.0.0.0/0"],
      ...[
        "10.0.0.1:6783",
        "[fd00::1]:6783",
        "host1",
        "host1:6783",
        "net:default",
        "ip:10.2.1.1/24",
      ],
      ...["weave.local.", "a\\.b.c", "1m30s", "500ms", "1.5h", "02:00:00:00:00:01"],
      ...flags.map((flag) => `${flag}=1`),
      ...[
        "ipalloc-range=10.2.0.0/16",
        "host=10.0.0.1",
        "name=::1",
        "http-addr=:6784",
        "peer=host2",
      ],
      ...["dns-fallback-timeout=5s", "trusted-subnets=10.0.0.0/8, fd00::/8", "log-level=debug"],
    ].map(utf8),
  begin: () => ({
    consume(bytes) {
      const text = fromUtf8(bytes);
      const understood = readers.filter(({ refusals, read }) =>
        refusable(refusals, () => read(text)),
      );
      return launchWith(text) || understood.length > 0;
    },
  }),
};
