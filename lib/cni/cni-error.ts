/** Codes of the CNI specification; from 100 on they are ours. */
export const cniCode = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  badEnvironment: 4,
  io: 5,
  undecodable: 6,
  invalidConfig: 7,
  tryAgain: 11,
  notAvailable: 50,
  /** The router refused, or could not do it. */
  failed: 100,
  /** CHECK has found something that is not as it was made. */
  notAsMade: 101,
  /** A plugin that was called on did not work. */
  delegate: 102,
} as const;

/** What a runtime is told: a sentence, and what else there is to know, such as what to do. */
export class CniError extends Error {
  readonly code: number;
  readonly details: string;

  constructor(code: number, message: string, details = "") {
    super(message);
    this.name = "CniError";
    this.code = code;
    this.details = details;
  }
}

/** No router answers on this host. */
export class RouterAway extends CniError {
  constructor(message: string, details: string) {
    super(cniCode.tryAgain, message, details);
    this.name = "RouterAway";
  }
}
