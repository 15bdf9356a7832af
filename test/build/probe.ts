import { libnlOrigin } from "../../ffi/libnl.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { silentLog } from "../../lib/base/world.ts";
import { DataPlane } from "../../lib/host/dataplane/data-plane.ts";
import { findLink, listLinks } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";

/** What the test compiles: says which libraries it runs with and whether its worker works. */
using netlink = openRoute();
const plane = new DataPlane({
  local: parsePeerName("::1"),
  captureInterface: findLink(netlink, { name: "lo" })!.index,
  host: 0x7f000001,
  port: 0,
  log: silentLog,
});
await plane.ready;
const links = listLinks(netlink).map(({ name }) => name);
console.log(JSON.stringify({ libnl: libnlOrigin(), secretBox: plane.secretBox, links }));
await plane.stop();
