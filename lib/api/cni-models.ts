import * as v from "valibot";

/** Bodies and answers of the routes for container runtimes (`cni-routes.ts`). */

/** More of anything than a network has. */
const listMax = 256;
const attachmentsMax = 65_536;

const name = v.pipe(v.string(), v.nonEmpty(), v.maxLength(256));
/** IFNAMSIZ less the final zero. */
const interfaceName = v.pipe(v.string(), v.regex(/^[^\s/:]{1,15}$/));
const mtu = v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(68), v.maxValue(65_535)));
const hairpin = v.optional(v.boolean(), true);
const route = v.object({ dst: v.string(), gw: v.exactOptional(v.string()) });
const routes = v.pipe(v.array(route), v.maxLength(listMax));
const link = v.object({ name: v.string(), mac: v.string() });
const place = { container: name, interface: interfaceName };

export const cniAddBody = v.object({
  ...place,
  namespace: name,
  network: v.string(),
  bridge: v.exactOptional(v.string()),
  address: v.exactOptional(v.string()),
  subnet: v.exactOptional(v.string()),
  gateway: v.exactOptional(v.string()),
  routes: v.exactOptional(routes),
  mtu,
  hairpin,
  pod: v.exactOptional(v.object({ namespace: name, name, uid: v.exactOptional(name) })),
});

export const cniInterfaceAnswer = v.object({
  bridge: link,
  port: link,
  guest: link,
  mtu: v.number(),
  cidr: v.string(),
  gateway: v.exactOptional(v.string()),
  routes: v.array(route),
});

export const cniRemoveBody = v.object({
  ...place,
  namespace: v.exactOptional(v.string()),
  frees: v.optional(v.boolean(), true),
});

export const cniRemoveAnswer = v.object({});

export const cniCheckBody = v.object({
  ...place,
  namespace: name,
  cidrs: v.optional(v.pipe(v.array(v.string()), v.maxLength(listMax)), []),
  routes: v.optional(routes, []),
  mtu,
  hairpin,
  held: v.optional(v.boolean(), true),
});

export const cniCheckAnswer = v.object({ wrong: v.array(v.string()) });

const names = v.pipe(v.array(v.object(place)), v.maxLength(attachmentsMax));

export const cniCollectBody = v.object({ network: v.string(), valid: names });

export const cniCollectAnswer = v.object({ removed: v.array(v.object(place)) });
