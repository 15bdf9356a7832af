import { productVersion } from "../base/product-version.ts";
import { releaseLocation } from "../base/release-location.ts";
import type { AgentOptions } from "../daemon/launch-options.ts";
import { type Paths, pathsFrom } from "../daemon/paths.ts";
import type { NodeTools } from "../kubernetes/agent/node-agent.ts";
import { ownCaller } from "./own-caller.ts";
import type { Environment } from "./parse.ts";
import type { RouterProcess } from "./router-process.ts";

/**
 * The router of this host's run folder. Each method loads what it needs when it is called: a
 * command that only talks to a router starts without the router's own code.
 */
export function localRouter(environment: Environment): RouterProcess {
  const paths = pathsFrom(environment);
  return {
    async launch(options) {
      const { launchRouter } = await import("../daemon/process.ts");
      return launchRouter(options, paths);
    },
    async foreground(options) {
      const { runForegroundRouter } = await import("../daemon/main.ts");
      return runForegroundRouter(options, paths, await integrations(environment));
    },
    async stop() {
      const { stopRouter } = await import("../daemon/process.ts");
      return stopRouter(paths);
    },
    async reset({ force }) {
      const { resetRouter } = await import("../daemon/process.ts");
      const { removeTraces } = await import("../daemon/remove-traces.ts");
      const { removeCni } = await import("../cni/setup-cni.ts");
      await resetRouter(paths, { force, removeTraces });
      removeCni(paths.stateDir);
    },
    async setUpService(request) {
      const { setUpService } = await import("../daemon/service-setup.ts");
      return setUpService(request, paths);
    },
    async setUpCni(request) {
      const { setUpCni } = await import("../cni/setup-cni.ts");
      const { selfCommand } = await import("../daemon/process.ts");
      const { stateDir } = paths;
      return setUpCni({ ...request, stateDir, command: selfCommand(), version: productVersion });
    },
    async node(nodeName) {
      const [{ NodeAgent }, { agentSettings }, { machineWorld }, { openLog }] = await Promise.all([
        import("../kubernetes/agent/node-agent.ts"),
        import("../kubernetes/agent/agent-settings.ts"),
        import("../host/machine-world.ts"),
        import("../daemon/log-file.ts"),
      ]);
      return new NodeAgent({
        settings: agentSettings({ ...environment, ...(nodeName && { HOSTNAME: nodeName }) }),
        ...{ environment, paths },
        world: machineWorld(openLog("info", undefined)),
        tools: await nodeTools(paths),
      });
    },
    async takeSnapshot() {
      const { takeSnapshot } = await import("../daemon/snapshot-store.ts");
      return takeSnapshot(paths);
    },
    async restoreSnapshot(text, options) {
      const { restoreSnapshot } = await import("../daemon/snapshot-store.ts");
      return restoreSnapshot(text, paths, { ...options, by: ownCaller("cli", environment) });
    },
    async examine() {
      const { examineHost } = await import("../daemon/diagnosis/examine-host.ts");
      return examineHost(paths);
    },
    async upgrade(source) {
      const { upgradeRouter } = await import("../daemon/upgrade.ts");
      return upgradeRouter(source, paths, environment.WEAVE_BASE_URL || releaseLocation);
    },
    async findOldRouter({ endpoint, access }) {
      const { openAdoption } = await import("../daemon/adoption/site.ts");
      const { DockerProgramEngine } = await import("../docker/program-engine.ts");
      return openAdoption(
        new DockerProgramEngine(endpoint, access),
        paths,
        ownCaller("cli", environment),
      );
    },
    logFile: paths.logFile,
  };
}

/** The part of `weave launch` that stays: a router in this process, told what to do by its parent. */
export async function runRouterChild(
  words: readonly string[],
  environment: Environment,
): Promise<number> {
  const { runDetachedRouter, runSuccessor } = await import("../daemon/main.ts");
  const { successorWord } = await import("../daemon/succession.ts");
  const run = words.includes(successorWord) ? runSuccessor : runDetachedRouter;
  return run(pathsFrom(environment), await integrations(environment));
}

async function integrations(environment: Environment) {
  const [{ dockerIntegration }, { kubernetesIntegration }] = await Promise.all([
    import("../docker/integration.ts"),
    import("../kubernetes/integration.ts"),
  ]);
  const tools = await nodeTools(pathsFrom(environment));
  return {
    engine: dockerIntegration,
    kubernetes: (options: AgentOptions) => kubernetesIntegration(options, { environment, tools }),
    async page() {
      const { readPage } = await import("../ui/read-page.ts");
      return readPage();
    },
  };
}

/** What the agent of a node of Kubernetes has the CNI plugins' room do. */
async function nodeTools({ stateDir }: Paths): Promise<NodeTools> {
  const { networkFolderOf, setUpCni } = await import("../cni/setup-cni.ts");
  const { selfCommand } = await import("../daemon/process.ts");
  return {
    setUpCni({ hostRoot, pluginFolder, hairpin }, withNetwork) {
      setUpCni({
        ...{ root: hostRoot, hairpin, withNetwork, stateDir },
        ...(pluginFolder !== undefined && { folder: pluginFolder }),
        ...{ command: selfCommand(), version: productVersion },
      });
    },
    networkFolder: ({ hostRoot }) => networkFolderOf(hostRoot),
  };
}
