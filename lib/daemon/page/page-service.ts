import { type Listener, listen } from "../../api/listen.ts";
import { type Page, pageApp } from "../../api/page-app.ts";
import { PictureLog } from "../../api/picture-log.ts";
import type { PageControl, RouterControl } from "../../api/router-control.ts";
import { toHex } from "../../base/bytes.ts";
import { errorCode } from "../../base/errors.ts";
import type { World } from "../../base/world.ts";
import { calmly } from "./calm-doctor.ts";

const host = "127.0.0.1";
/** So that a tunnel to it may stand for longer than a router; any other where it is taken. */
const usualPort = 6785;
const tokenBytes = 16;

export interface PageServiceOptions {
  readonly world: Pick<World, "after" | "random" | "monotonicMs" | "log">;
  /** What browsers get first. */
  document(): Promise<Page>;
  /** Whose page it is. */
  router(): RouterControl;
}

/** Serves the page to browsers of this host, from the moment on at which somebody asks for it. */
export class PageService implements PageControl {
  readonly #options: PageServiceOptions;
  readonly #token: string;
  readonly #pictures: PictureLog;
  #opened: Promise<Listener> | undefined;

  constructor(options: PageServiceOptions) {
    this.#options = options;
    this.#token = toHex(options.world.random.fill(new Uint8Array(tokenBytes)));
    this.#pictures = new PictureLog(options.world);
  }

  async open(): Promise<{ url: string }> {
    this.#opened ??= this.#listen();
    try {
      const { address } = await this.#opened;
      return { url: `http://${address}/#token=${this.#token}` };
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    const listener = await this.#opened?.catch(() => undefined);
    await listener?.close();
    this.#pictures.forget();
  }

  async #listen(): Promise<Listener> {
    const { world, document, router } = this.#options;
    const control = router();
    const { containers, events, links, policy } = control;
    const shown = { containers, events, links, policy, report: () => control.report() };
    const diagnosis = calmly(control.diagnosis, events, world);
    const app = pageApp({ ...shown, diagnosis }, await document(), {
      ...{ token: this.#token, pictures: this.#pictures, log: world.log },
    });
    const listener = this.#listenAt(app);
    world.log.info(`the page is served at ${listener.address}`);
    return listener;
  }

  /** It has a guard of its own against pages of others. */
  #listenAt(app: ReturnType<typeof pageApp>): Listener {
    try {
      return listen(app, `${host}:${usualPort}`, { isPublic: true });
    } catch (error) {
      if (errorCode(error) !== "API_LISTEN") throw error;
      return listen(app, `${host}:0`, { isPublic: true });
    }
  }
}
