import { closeDescriptor } from "../../ffi/descriptor.ts";
import {
  AF_UNIX,
  connectSocket,
  openSocket,
  SOCK_DGRAM,
  sendOne,
  sockaddrUn,
} from "../../ffi/socket.ts";
import { utf8 } from "../base/bytes.ts";

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
  readonly #descriptor: number;
  readonly #watchdog: ReturnType<typeof setInterval> | undefined;

  private constructor(address: string, watchdogUs: string | undefined) {
    this.environment = { NOTIFY_SOCKET: address, WATCHDOG_USEC: watchdogUs };
    this.#descriptor = openSocket(AF_UNIX, SOCK_DGRAM, 0, "the service manager's socket");
    connectSocket(this.#descriptor, sockaddrUn(address), address);
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
      sendOne(this.#descriptor, utf8(lines), "the service manager");
    } catch {
      // It is being started anew, or has no room: nothing here depends on what it hears.
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watchdog);
    closeDescriptor(this.#descriptor);
  }
}
