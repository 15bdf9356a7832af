import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { dockerShell, proxyOf } from "./docker-shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";

/** What docker does, and whose output must be the same octets with the proxy in between. */
const deeds: Readonly<Record<string, string>> = {
  "run, with both outputs and the exit code": `
    docker run --rm bb sh -c 'echo out; echo err >&2; exit 7'; echo $?`,
  "run -i, with a hundred megabytes of input": `
    yes 0123456789 | head -c 100000000 | docker run -i --rm bb sha256sum`,
  "run -i, with as much going in as coming out": `
    yes abcdefghij | head -c 5000000 | docker run -i --rm bb cat | sha256sum`,
  "run -it, on a terminal": `
    script -qec "$docker run -it --rm bb sh -c 'test -t 0 && stty size; echo end'" /dev/null | sed 's/\\^[@D]//g'`,
  "run, ended by a signal": `
    touch $outside/sig
    docker run --name sig bb sh -c 'trap "echo got; exit 3" TERM; echo up; while :; do sleep 0.1; done' > $outside/sig &
    until grep -q up $outside/sig; do sleep 0.1; done
    docker kill -s TERM sig; wait $!; echo $?; cat $outside/sig; docker rm sig`,
  "exec, with the exit code": `
    docker run -d --name e1 bb sleep 1000 >/dev/null
    docker exec e1 sh -c 'echo x; exit 4'; echo $?; docker rm -f e1`,
  "exec -i, with ten megabytes": `
    docker run -d --name e1 bb sleep 1000 >/dev/null
    yes 0123456789 | head -c 10000000 | docker exec -i e1 cat | sha256sum; docker rm -f e1`,
  "exec -it, on a terminal": `
    docker run -d --name e1 bb sleep 1000 >/dev/null
    script -qec "$docker exec -it e1 sh -c 'test -t 0 && echo terminal'" /dev/null | sed 's/\\^[@D]//g'; docker rm -f e1`,
  "attach, with input whose end is noticed": `
    docker create -i --name a1 bb sh -c 'cat; echo after' >/dev/null
    echo in | docker start -ai a1; docker wait a1; docker rm a1`,
  "attach, to what runs already": `
    touch $outside/attached
    docker run -d --name a1 bb sh -c 'trap "echo out; exit 6" TERM; while :; do echo up; sleep 0.1; done' >/dev/null
    docker attach --no-stdin --sig-proxy=false a1 > $outside/attached &
    until grep -q up $outside/attached; do sleep 0.1; done
    docker kill -s TERM a1; wait $!; echo $?; uniq $outside/attached; docker rm a1`,
  "logs -f, to the end": `
    docker run -d --name l1 bb sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done' >/dev/null
    docker logs -f l1; docker rm l1`,
  "logs of ten megabytes": `
    docker run --name l1 bb sh -c 'yes $(printf %0999d 7) | head -c 10000000' >/dev/null
    docker logs l1 | sha256sum; docker rm l1`,
  "events, as they come": `
    sleep 1; since=$(date +%s); seen=$outside/events.$$; touch $seen
    (docker events --since $since --until $((since + 30)) --filter type=volume --format '{{.Action}} {{.Actor.ID}}') > $seen 2> /dev/null &
    docker volume create seen; docker volume rm seen
    until [ $(wc -l < $seen) -ge 2 ]; do sleep 0.1; done; cat $seen`,
  "cp, a hundred megabytes there and back": `
    yes 0123456789 | head -c 100000000 > $outside/there
    docker create --name c1 bb >/dev/null
    docker cp $folder/there c1:/tmp/x 2>/dev/null; docker cp c1:/tmp/x $folder/back 2>/dev/null
    sha256sum < $outside/back; rm $outside/there $outside/back; docker rm c1`,
  "export and import": `
    docker create --name c1 bb >/dev/null
    docker export c1 | docker import -c "ENV PATH=/bin" - again >/dev/null
    docker run --rm again echo imported; docker rm c1; docker rmi -f again >/dev/null`,
  "save and load": `
    docker save bb | tee $outside/saved | docker load; tar -tf $outside/saved | wc -l; rm $outside/saved`,
  build: `
    printf 'FROM bb\\nRUN echo made > /made\\nCMD ["cat", "/made"]\\n' | docker build -q -t built - >/dev/null
    docker run --rm built; docker rmi -f built >/dev/null`,
  "wait, and the exit code": `
    docker run -d --name w1 bb sh -c 'sleep 0.5; exit 5' >/dev/null; docker wait w1; docker rm w1`,
  "info, images, version, an unknown thing": `
    docker version --format '{{.Server.APIVersion}}'; docker info --format '{{.ServerVersion}}'
    docker images -a --format '{{.Repository}}' | sort; docker inspect no-such-thing; echo $?
    docker start no-such-thing; echo $?`,
};

let lab: EngineLab;
beforeAll(async () => {
  lab = await EngineLab.start("dprs", { engine: ["20.10", "28"] });
  await Promise.all(lab.hosts.map((host) => host.launch(["--ipalloc-range", "10.32.0.0/16"])));
});
afterAll(() => lab?.[Symbol.asyncDispose]());

for (const [at, engine] of ["20.10", "28"].entries()) {
  describe(`through the proxy to engine ${engine} goes unchanged`, () => {
    let host: EngineHost;
    beforeAll(() => {
      host = lab.hosts[at]!;
    });

    for (const [deed, script] of Object.entries(deeds)) {
      test(deed, async () => {
        const without = await dockerShell(host, script);
        const through = await dockerShell(host, script, proxyOf(host));
        expect(through).toEqual(without);
        expect(without.stdout).not.toBe("");
      });
    }
  });
}
