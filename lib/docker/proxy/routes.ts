/** Which requests to the engine's API concern the proxy (docker.md §3, §5); all others pass. */
export type Route =
  | {
      readonly kind: "create" /** Empty for a name that the engine chooses. */;
      readonly name: string;
    }
  | { readonly kind: "start"; readonly container: string }
  | { readonly kind: "exec"; readonly container: string }
  | { readonly kind: "inspect"; readonly container: string };

/** After the version. What stands for a container may be a name with slashes. */
const routes: readonly {
  readonly method: string;
  readonly path: RegExp;
  route(container: string, query: URLSearchParams): Route;
}[] = [
  {
    method: "POST",
    path: /^\/containers\/create$/,
    route: (_container, query) => ({ kind: "create", name: nameOf(query) }),
  },
  {
    method: "POST",
    path: /^\/containers\/(.+)\/(?:re)?start$/,
    route: (container) => ({ kind: "start", container }),
  },
  {
    method: "POST",
    path: /^\/containers\/(.+)\/exec$/,
    route: (container) => ({ kind: "exec", container }),
  },
  {
    method: "GET",
    path: /^\/containers\/(.+)\/json$/,
    route: (container) => ({ kind: "inspect", container }),
  },
];

/** @param target of the request line: a path with query, or a whole URL as for a proxy of the web */
export function routeOf(method: string, target: string): Route | undefined {
  const [address = "", ...query] = target.split("?");
  const path = decoded(address.replace(/^[a-z]+:\/\/[^/]*/i, ""))?.replace(/^\/v[\d.]+(?=\/)/, "");
  if (path === undefined) return undefined;
  for (const each of routes) {
    const match = each.method === method ? each.path.exec(path) : null;
    if (match !== null) return each.route(match[1] ?? "", new URLSearchParams(query.join("?")));
  }
  return undefined;
}

/** The engine takes it with a slash at its start as well. */
function nameOf(query: URLSearchParams): string {
  return (query.get("name") ?? "").replace(/^\//, "");
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
