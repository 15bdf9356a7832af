import { describe, expect, test } from "bun:test";
import type { ApiRequest } from "../../lib/cli/api-client.ts";
import { ApiError } from "../../lib/cli/api-error.ts";
import { weave } from "./command-line.ts";

const unix = "unix:///var/run/weave/weave.sock";

/** A router whose proxy listens there. */
function listening(...addresses: string[]) {
  return (request: ApiRequest): string => {
    if (request.path[0] !== "proxyaddrs") return "{}";
    if (addresses.length > 0) return addresses.map((address) => `${address}\n`).join("");
    throw new ApiError("feature-off", "FEATURE_OFF", "no proxy");
  };
}

describe("weave env", () => {
  test("leads a shell's docker to the proxy, and remembers where it was led before", async () => {
    const answer = listening(unix, "unix:///other");
    expect(await weave(["env"], { answer })).toMatchObject({
      ...{ code: 0, stdout: `export DOCKER_HOST=${unix} ORIG_DOCKER_HOST=\n`, stderr: "" },
    });
    const environment = { DOCKER_HOST: "tcp://h1:2375" };
    expect((await weave(["env"], { answer, environment })).stdout).toBe(
      `export DOCKER_HOST=${unix} ORIG_DOCKER_HOST=tcp://h1:2375\n`,
    );
  });

  test("names a host where the proxy listens on all addresses", async () => {
    const answer = listening("tcp://0.0.0.0:12375", unix);
    const environment = { DOCKER_HOST: "tcp://h1:2375" };
    expect((await weave(["env"], { answer, environment })).stdout).toBe(
      "export DOCKER_HOST=tcp://h1:12375 ORIG_DOCKER_HOST=tcp://h1:2375\n",
    );
    expect((await weave(["config"], { answer })).stdout).toBe("-H=tcp://127.0.0.1:12375\n");
  });

  test("twice forgets nothing", async () => {
    const environment = { DOCKER_HOST: unix, ORIG_DOCKER_HOST: "tcp://h1:2375" };
    expect((await weave(["env"], { answer: listening(unix), environment })).stdout).toBe(
      `export DOCKER_HOST=${unix} \n`,
    );
  });

  test("without a proxy prints nothing that a shell could run, and says so beside", async () => {
    for (const stage of [{}, { answer: listening() }]) {
      const { code, stdout, stderr } = await weave(["env"], stage);
      expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
      expect(stderr).toContain("no Docker API proxy is running");
      expect(await weave(["config"], stage)).toMatchObject({ code: 1, stdout: "" });
    }
  });

  test("does not say that there is no proxy to who may not ask, or has no answer", async () => {
    for (const code of ["API_FORBIDDEN", "API_BROKEN_OFF"]) {
      const answer = (): string => {
        throw new ApiError("unreachable", code, "nobody answers this user");
      };
      for (const name of ["env", "config"]) {
        expect(await weave([name], { answer })).toMatchObject({
          ...{ code: 7, stdout: "", stderr: "nobody answers this user\n" },
        });
      }
    }
  });

  test("--restore gives docker back to the engine that it had", async () => {
    const environment = { ORIG_DOCKER_HOST: "tcp://1.2.3.4:2375" };
    expect(await weave(["env", "--restore"], { environment })).toMatchObject({
      ...{ code: 0, stdout: "DOCKER_HOST=tcp://1.2.3.4:2375\n" },
    });
    const unset = await weave(["env", "--restore"], { environment: { ORIG_DOCKER_HOST: "" } });
    expect(unset.stdout).toBe("DOCKER_HOST=\n");
    const nothing = await weave(["env", "--restore"]);
    expect(nothing).toMatchObject({ code: 1, stdout: "" });
    expect(nothing.stderr).toStartWith("Nothing to restore.");
  });
});

describe("weave stop", () => {
  test("says that a shell's docker will look for a proxy that is gone", async () => {
    const answer = listening(unix);
    const led = await weave(["stop"], { answer, environment: { DOCKER_HOST: unix } });
    expect(led.stderr).toContain("eval $(weave env --restore)");
    const other = await weave(["stop"], { answer, environment: { DOCKER_HOST: "tcp://h1:1" } });
    expect(other.stderr).not.toContain("proxy");
  });
});
