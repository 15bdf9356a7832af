/**
 * What lets this tab in. The link of `weave ui` has it in its fragment, which browsers send to nobody;
 * from there it goes to the session storage, so that the tab can be loaded again:
 *
 *   http://127.0.0.1:6785/#token=… ──▶ address without it ── Authorization ──▶ this router
 *                          └──▶ session storage: of this tab, and of this port alone
 *
 * A cookie would go along with requests to all other ports of the same host.
 */
const storageKey = "weave-token";

let token = "";

/** Takes the token out of the address, where there is one, else the one that this tab had before. */
export function takeToken(): void {
  const given = /^#token=(\w+)$/.exec(location.hash)?.[1];
  if (given !== undefined) {
    history.replaceState(null, "", "/");
    keep(given);
  }
  token = given ?? kept();
}

/** Loads the page anew when a link of a later run is opened in the tab that has it. */
export function followLinks(): void {
  addEventListener("hashchange", () => {
    takeToken();
    location.reload();
  });
}

/** For each request to the router. */
export function authorization(): { readonly Authorization?: string } {
  return token === "" ? {} : { Authorization: `Bearer ${token}` };
}

function keep(given: string): void {
  try {
    sessionStorage.setItem(storageKey, given);
  } catch {
    // A browser that keeps nothing: the tab needs its link again when it is loaded again.
  }
}

function kept(): string {
  try {
    return sessionStorage.getItem(storageKey) ?? "";
  } catch {
    return "";
  }
}
