import { afterAll, describe, expect, test } from "bun:test";
import { NftWatch } from "../../../lib/host/netlink/nft-watch.ts";
import { deleteTable, replaceTable } from "../../../lib/host/netlink/nftables.ts";
import { openNetfilter } from "../../../lib/host/netlink/open.ts";
import { Laboratory } from "../laboratory.ts";

const table = { family: "ip", name: "watched" } as const;
const other = { family: "ip6", name: "watched" } as const;

const laboratory = new Laboratory("nfw");
afterAll(() => laboratory.close());

/** Own changes, made while nothing is heard. */
function whileUnheard(name: string, change: (put: () => void) => number): NftWatch {
  return laboratory.namespace(name).run(() => {
    using netlink = openNetfilter();
    replaceTable(netlink, { ...table, chains: [] });
    const watch = new NftWatch([table]);
    watch.unheard(netlink, () => change(() => replaceTable(netlink, { ...table, chains: [] })));
    return watch;
  });
}

describe("who hears of tables of nf_tables", () => {
  test("does not hear what it changes itself", () => {
    using watch = whileUnheard("own", (put) => {
      put();
      put();
      return 2;
    });
    expect(watch.wasTouched()).toBe(false);
  });

  test("knows not when somebody else has changed any at the same time, and is told so once", () => {
    using watch = whileUnheard("others", (put) => {
      put();
      put();
      return 1;
    });
    expect(watch.wasTouched()).toBeUndefined();
    expect(watch.wasTouched()).toBe(false);
  });

  test("knows not either when its own change failed half-way", () => {
    const watch = laboratory.namespace("failed").run(() => {
      using netlink = openNetfilter();
      const watching = new NftWatch([table]);
      expect(() =>
        watching.unheard(netlink, () => {
          throw new Error("half-way");
        }),
      ).toThrow("half-way");
      return watching;
    });
    expect(watch.wasTouched()).toBeUndefined();
    watch[Symbol.dispose]();
  });

  test("hears of changes after its own, and of no table of that name in another family", () => {
    const host = laboratory.namespace("after");
    host.run(() => {
      using netlink = openNetfilter();
      using watch = new NftWatch([table]);
      watch.unheard(netlink, () => {
        replaceTable(netlink, { ...table, chains: [] });
        return 1;
      });
      replaceTable(netlink, { ...other, chains: [] });
      expect(watch.wasTouched()).toBe(false);
      deleteTable(netlink, table);
      expect(watch.wasTouched()).toBe(true);
      expect(watch.wasTouched()).toBe(false);
    });
  });
});
