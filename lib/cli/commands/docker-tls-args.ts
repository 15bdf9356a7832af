import { detectTls } from "../../docker/proxy/detect-tls.ts";
import type { CommandHandler } from "../context.ts";

/** As options, so that scripts can start programs that serve TLS in the same way. */
export const dockerTlsArgs: CommandHandler = async ({ stdout, stderr }) => {
  const found = detectTls();
  if (found === undefined) {
    stderr.write("no process of a Docker engine is running here\n");
    return 1;
  }
  const { enabled, verify, ca, cert, key } = found;
  const words = [
    ...(enabled && !verify ? ["--tls"] : []),
    ...(verify ? ["--tlsverify"] : []),
    ...(ca === undefined ? [] : [`--tlscacert=${ca}`]),
    ...(cert === undefined ? [] : [`--tlscert=${cert}`]),
    ...(key === undefined ? [] : [`--tlskey=${key}`]),
  ];
  stdout.write(`${words.join(" ")}\n`);
  return 0;
};
