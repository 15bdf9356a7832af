import { render } from "preact";
import { App } from "./app.tsx";
import { followLinks, takeToken } from "./token.ts";

takeToken();
followLinks();
render(<App />, document.getElementById("page")!);
