import { utf8 } from "../base/bytes.ts";
import { UnixDatagram } from "../host/unix-datagram.ts";

/**
 * The service manager that started this process, if one did: told by sd_notify(3) when the router is
 * ready, that it still moves, and that it stops.
 *
 *   NOTIFY_SOCKET  /run/systemd/notify, or @name without a file       a datagram of KEY=value lines
 *   WATCHDOG_USEC  it ends a service that has said nothing for so long
 */
export class ServiceManager implements Disposable {
  /** By which another process of this service finds the manager. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly #socket: UnixDatagram;
  readonly #watchdog: ReturnType<typeof setInterval> | undefined;

  private constructor(address: string, watchdogUs: string | undefined) {
    this.environment = { NOTIFY_SOCKET: address, WATCHDOG_USEC: watchdogUs };
    this.#socket = new UnixDatagram(address);
    if (watchdogUs !== undefined) {
      const periodMs = Number(watchdogUs) / 1000 / 2;
      this.#watchdog = setInterval(() => this.#tell("WATCHDOG=1"), periodMs);
    }
  }

  /**
   * The one of this process. Its variables are taken out of the environment: programs that the router
   * starts have nothing to tell it.
   *
   * @throws SystemError when it does not listen
   */
  static take(environment: Record<string, string | undefined>): ServiceManager | undefined {
    const { NOTIFY_SOCKET: address, WATCHDOG_USEC: watchdogUs } = environment;
    for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete environment[name];
    if (!address) return undefined;
    return new ServiceManager(address, watchdogUs || undefined);
  }

  ready(status: string): void {
    this.#tell(`READY=1\nSTATUS=${status}`);
  }

  /** From now on another process is the service. */
  succeededBy(pid: number): void {
    this.#tell(`MAINPID=${pid}`);
  }

  stopping(): void {
    this.#tell("STOPPING=1");
  }

  #tell(lines: string): void {
    try {
      this.#socket.send(utf8(lines));
    } catch {
      // It is being started anew, or has no room: nothing here depends on what it hears.
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watchdog);
    this.#socket[Symbol.dispose]();
  }
}
