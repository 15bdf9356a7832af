import { expect, test } from "bun:test";
import { join } from "node:path";
import { run } from "../hosts/shell.ts";

test("an engine is asked itself, whatever proxy the environment names for the world", async () => {
  using engine = Bun.serve({
    port: 0,
    // Loopback addresses that have a name are asked directly in any case.
    hostname: "127.0.0.2",
    fetch: ({ url }) =>
      url.endsWith("/_ping")
        ? new Response("OK", { headers: { "Api-Version": "1.41" } })
        : Response.json({ Name: "itself" }),
  });
  const program = `
    import { DockerEngine } from ${JSON.stringify(join(import.meta.dir, "../../lib/docker/engine.ts"))};
    console.log((await new DockerEngine("tcp://127.0.0.2:${engine.port}").info()).name);
  `;
  const nobody = "http://127.0.0.1:9";
  const env = { HTTP_PROXY: nobody, http_proxy: nobody, NO_PROXY: "", no_proxy: "" };
  const { stdout } = await run([process.execPath, "-e", program], { env });
  expect(stdout).toBe("itself\n");
});
