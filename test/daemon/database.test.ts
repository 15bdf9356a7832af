import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../../lib/base/errors.ts";
import { openDatabase } from "../../lib/daemon/database.ts";
import { SettingsStore } from "../../lib/daemon/settings-store.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-database-"));
const path = join(folder, "weave.db");

afterAll(() => rmSync(folder, { recursive: true }));

function codeOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    return errorCode(error);
  }
  return "";
}

describe("the router's state", () => {
  test("is there again when it is opened again", () => {
    const first = openDatabase(path);
    new SettingsStore(first).saveTargets(["10.0.0.2"]);
    first.close();
    const second = openDatabase(path);
    expect(new SettingsStore(second).targets()).toEqual(["10.0.0.2"]);
    second.close();
  });

  test("of a newer release is left alone", () => {
    const newer = join(folder, "newer.db");
    const database = openDatabase(newer);
    database.run("PRAGMA user_version = 99");
    database.close();
    expect(codeOf(() => openDatabase(newer))).toBe("STORE_NEWER");
  });

  test("that another process holds is waited for, and then refused with what to do", () => {
    const held = join(folder, "held.db");
    const holder = openDatabase(held);
    holder.run("PRAGMA locking_mode = EXCLUSIVE");
    holder.run("BEGIN EXCLUSIVE");
    expect(() => openDatabase(held)).toThrow("cannot open the router's state");
    holder.run("ROLLBACK");
    holder.close();
    openDatabase(held).close();
  });

  test("that is no database at all is refused", () => {
    const text = join(folder, "text.db");
    writeFileSync(text, "This is a letter to somebody, long enough for a page.\n".repeat(100));
    expect(codeOf(() => openDatabase(text))).toBe("STORE_UNUSABLE");
  });

  test("whose pages are damaged is refused before anything is read from it", () => {
    const octets = readFileSync(path);
    // The header stays whole; every page behind it is overwritten.
    const damaged = join(folder, "damaged.db");
    writeFileSync(damaged, octets.fill(0x5a, 4096));
    expect(codeOf(() => openDatabase(damaged))).toBe("STORE_DAMAGED");
  });

  test("in which an index tells of a row that is not there is refused", () => {
    const odd = join(folder, "odd.db");
    const database = openDatabase(odd);
    new SettingsStore(database).saveSetting("peer-name", "02:00:00:00:00:01");
    database.close();
    const octets = readFileSync(odd);
    // The name stands in the row and in the index, and is damaged in the latter alone.
    const place = octets.lastIndexOf("peer-name");
    expect(octets.indexOf("peer-name")).not.toBe(place);
    octets.write("qeer-name", place);
    writeFileSync(odd, octets);
    expect(codeOf(() => openDatabase(odd))).toBe("STORE_DAMAGED");
  });

  test("in which a table is missing is refused", () => {
    const lacking = join(folder, "lacking.db");
    const database = openDatabase(lacking);
    database.run("DROP TABLE exposed");
    database.close();
    expect(codeOf(() => openDatabase(lacking))).toBe("STORE_DAMAGED");
  });

  test("in which a column has another name, if only by a letter's case, is refused", () => {
    const renamed = join(folder, "renamed.db");
    const database = openDatabase(renamed);
    database.run("ALTER TABLE target RENAME COLUMN peer TO pEer");
    database.close();
    expect(codeOf(() => openDatabase(renamed))).toBe("STORE_DAMAGED");
  });
});
